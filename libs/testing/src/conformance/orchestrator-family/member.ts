import type { ChannelGroup, RecordType } from '@nestjs-orchestrator/core';
import { arrives, gate } from '../gates.js';
import {
  type Address,
  entriesIn,
  notebook,
  type NotebookHands,
  registerNotebook,
  textsIn,
} from './notebook.js';

/** A process of a case, in this one or elsewhere. Everything is plain JSON. */
export interface Member {
  spawn(id: string): Promise<void>;
  /** Sends notes to a machine, each when the one before was accepted. */
  notes(to: Address, entries: readonly unknown[]): Promise<void>;
  entries(to: Address): Promise<readonly unknown[]>;
  /** What a machine of this process holds, each entry as JSON; null: undefined. */
  texts(id: string): Promise<readonly (string | null)[]>;
  stop(to: Address): Promise<void>;
  /** Settles when the action `hold` has begun. */
  held(): Promise<void>;
  /** Lets it end, now or when it begins. */
  letGo(): Promise<void>;
  /** `machine process definition` of the directory, sorted. */
  machines(): Promise<readonly string[]>;
  /** Settles when it knows so many processes, itself among them. */
  knows(processes: number): Promise<void>;
  leave(): Promise<void>;
}

/** What can be asked for from elsewhere. */
export const VERBS: readonly (keyof Member)[] = [
  'spawn',
  'notes',
  'entries',
  'texts',
  'stop',
  'held',
  'letGo',
  'machines',
  'knows',
  'leave',
];

/** One in this process. */
export class LocalMember implements Member {
  private readonly hands: NotebookHands;

  constructor(
    readonly group: ChannelGroup,
    private readonly patienceMs: number,
  ) {
    this.hands = registerNotebook(group);
  }

  async spawn(id: string): Promise<void> {
    await this.group.spawn(notebook, { id });
  }

  async notes(to: Address, entries: readonly unknown[]): Promise<void> {
    const ref = this.group.ref(to);
    for (const entry of entries) await ref.send({ type: 'NOTE', entry });
  }

  entries(to: Address): Promise<readonly unknown[]> {
    return entriesIn(this.group.ref(to));
  }

  texts(id: string): Promise<readonly (string | null)[]> {
    return textsIn(this.group.ref(id));
  }

  stop(to: Address): Promise<void> {
    return this.group.ref(to).stop();
  }

  held(): Promise<void> {
    return arrives(this.hands.holding.passed, 'the action that holds the machine', this.patienceMs);
  }

  async letGo(): Promise<void> {
    this.hands.release.open();
  }

  async machines(): Promise<readonly string[]> {
    const found = await this.group.machineNames();
    return found.map(({ id, endpoint, definition }) => `${id} ${endpoint} ${definition}`).sort();
  }

  knows(processes: number): Promise<void> {
    return this.until('peer', () => this.group.processes().length >= processes);
  }

  leave(): Promise<void> {
    return this.group.release();
  }

  /** Awaits what must be so after some record, if it is not so now. */
  private async until(type: RecordType, holds: () => boolean): Promise<void> {
    if (holds()) return;
    const { passed, open } = gate();
    const stop = this.group.subscribe(() => (holds() ? open() : undefined), { only: [type] });
    try {
      await arrives(passed, `a record '${type}' of '${this.group.name}'`, this.patienceMs);
    } finally {
      stop();
    }
  }
}
