import type { Commit, InstanceState, StoredInstance } from '@nestjs-orchestrator/core/ports';

/** The commit by which somebody else changes what is stored of an instance. */
export function spoilt(instance: StoredInstance, change: Partial<InstanceState>): Commit {
  const { tenant, saga: name, id, version } = instance;
  const { definitionVersion, state, status, data, machine, undo, ended, hold } = instance;
  return {
    ref: { tenant, saga: name, id },
    expectedVersion: version,
    lease: null,
    supersedes: null,
    next: { definitionVersion, state, status, data, machine, undo, ended, hold, ...change },
    keys: [],
    inbox: null,
    work: [],
    timers: { arm: [], disarm: [] },
    history: [],
    deliveries: { add: [], done: [] },
    wakeIfParked: null,
    done: [],
  };
}
