import {
  type ChannelGroup,
  type ChannelGroupOptions,
  globalOrchestrator,
  type OrchestratorRecord,
  type RecordType,
} from '@nestjs-orchestrator/core';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { onTestFinished } from 'vitest';

/** A group of one test, released when the test has ended. Says nothing of slow steps unless told to: how fast the machine is must change no test. */
export function groupOf(name: string, options: ChannelGroupOptions = {}): ChannelGroup {
  const group = globalOrchestrator().createChannelGroup(name, { slowStepMs: 60_000, ...options });
  onTestFinished(() => group.release());
  return group;
}

/** The same, with time that stands still. */
export function timedGroup(
  name: string,
  options: ChannelGroupOptions = {},
): { readonly group: ChannelGroup; readonly clock: VirtualClock } {
  const clock = new VirtualClock();
  const group = groupOf(name, { clock, ...options });
  clock.whenIdle('machines', () => group.settled());
  return { group, clock };
}

export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

export function gate(): Gate {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}

/** Records of one type, as they come. */
export function recordsOf<T extends RecordType>(
  group: ChannelGroup,
  type: T,
): Extract<OrchestratorRecord, { type: T }>[] {
  const records: Extract<OrchestratorRecord, { type: T }>[] = [];
  group.subscribe((record) => void records.push(record as never), { only: [type] });
  return records;
}

/** The next record of one type. */
export function nextRecord<T extends RecordType>(
  group: ChannelGroup,
  type: T,
): Promise<Extract<OrchestratorRecord, { type: T }>> {
  return new Promise((resolve) => {
    const stop = group.subscribe(
      (record) => {
        stop();
        resolve(record as never);
      },
      { only: [type] },
    );
  });
}

/** What a promise was rejected with. */
export async function rejection(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    return error as Error;
  }
  throw new Error('The promise was not rejected.');
}
