import {
  assign,
  type ChannelGroup,
  defineMachine,
  type Machine,
  type MachineAddress,
  type MachineRef,
  type OrchestratorRecord,
  type RecordType,
} from '@nestjs-orchestrator/core';
import { arrives, gate, type Gate, handled, PATIENCE_MS } from '../gates.js';
import type { FamilyHarness, FamilyOptions, OpenedFamily } from './harness.js';

type Address = string | MachineAddress;

interface Data {
  readonly entries: readonly unknown[];
}

const BLANK: Data = { entries: [] };

/** A machine that takes notes, answers, and can be held. */
export const notebook: Machine = defineMachine({
  id: 'notebook',
  initial: 'open',
  context: BLANK,
  states: {
    open: {
      on: {
        NOTE: {
          actions: assign({
            entries: ({ context, event }) => [
              ...(context as unknown as Data).entries,
              (event as { readonly entry?: unknown }).entry,
            ],
          }),
        },
        READ: { actions: 'read' },
        HOLD: { actions: 'hold' },
        FAIL: { actions: 'fail' },
        PASS_ON: { actions: 'passOn' },
        ASK: { actions: 'ask' },
        CLOSE: 'closed',
      },
    },
    closed: { type: 'final' },
  },
});

/** A process of a case. */
export interface Member {
  readonly group: ChannelGroup;
  /** Opened by the action `hold` when it has begun. */
  readonly holding: Gate;
  /** What it waits for. */
  readonly release: Gate;
}

/** What a case is played with. */
export class FamilyScene {
  private readonly members = new Map<ChannelGroup, Member>();

  constructor(
    readonly opened: OpenedFamily,
    private readonly patienceMs: number,
  ) {}

  async join(endpoint: string, options: Partial<FamilyOptions> = {}): Promise<Member> {
    const group = await this.opened.create({
      name: 'notes',
      endpoint,
      requestTimeoutMs: this.patienceMs,
      releaseTimeoutMs: 100,
      ...options,
    });
    const there = this.members.get(group);
    if (there !== undefined) return there;
    const member = { group, holding: gate(), release: gate() };
    this.members.set(group, member);
    group.register(notebook, { actions: actionsOf(member) });
    return member;
  }

  /** Two processes that know of each other; in-process they are one. */
  async pair(): Promise<readonly [Member, Member]> {
    const [one, two] = [await this.join('one'), await this.join('two')];
    await this.acquainted(one, two);
    return [one, two];
  }

  /** A machine of another process. */
  far(from: Member, id: string): MachineRef {
    return from.group.ref(this.address(id));
  }

  address(id: string): Address {
    return this.opened.address?.(id) ?? id;
  }

  async acquainted(...members: readonly Member[]): Promise<void> {
    if (this.opened.address !== undefined) return;
    const count = new Set(members.map(({ group }) => group)).size;
    for (const { group } of members) await this.until(group, 'peer', () => group.processes().length >= count);
  }

  /** Awaits what must be so after some record, if it is not so now. */
  async until(group: ChannelGroup, type: RecordType, holds: () => boolean): Promise<void> {
    if (holds()) return;
    const { passed, open } = gate();
    const stop = group.subscribe(() => (holds() ? open() : undefined), { only: [type] });
    try {
      await this.arrives(passed, `a record '${type}' of '${group.name}'`);
    } finally {
      stop();
    }
  }

  /** The next record of one type. */
  next<T extends RecordType>(
    group: ChannelGroup,
    type: T,
  ): Promise<Extract<OrchestratorRecord, { type: T }>> {
    const came = new Promise<Extract<OrchestratorRecord, { type: T }>>((resolve) => {
      const stop = group.subscribe(
        (record) => {
          stop();
          resolve(record as Extract<OrchestratorRecord, { type: T }>);
        },
        { only: [type] },
      );
    });
    return handled(this.arrives(came, `a record '${type}' of '${group.name}'`));
  }

  arrives<T>(event: Promise<T>, about: string, times = 1): Promise<T> {
    return arrives(event, about, this.patienceMs * times);
  }

  async end(): Promise<void> {
    for (const { release } of this.members.values()) release.open();
    for (const group of this.members.keys()) await group.release();
    await this.opened.close();
  }
}

function actionsOf({ holding, release }: Member): object {
  const actions: NonNullable<Parameters<ChannelGroup['register']>[1]>['actions'] = {
    read: (ctx) => ctx.reply((ctx.data as Data).entries.length),
    hold: async () => {
      holding.open();
      await release.passed;
    },
    fail: () => {
      throw new TypeError('as it was told');
    },
    passOn: (ctx) => {
      const { to, entries } = ctx.event as unknown as { readonly to: Address; readonly entries: unknown[] };
      for (const entry of entries) ctx.send(to, { type: 'NOTE', entry });
    },
    ask: async (ctx) => {
      const { to } = ctx.event as unknown as { readonly to: Address };
      const { reply } = await ctx.request(to, { type: 'READ' });
      ctx.reply(reply);
    },
  };
  return actions;
}

/** What a notebook holds when everything that was sent to it before is done. */
export async function entriesIn(ref: MachineRef): Promise<readonly unknown[]> {
  const { snapshot } = await ref.request({ type: 'READ' });
  return (snapshot.context as Data).entries;
}

export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number);
}

/** A sentence, and how it is tried. */
export interface Draft {
  readonly name: string;
  readonly play: (scene: FamilyScene) => Promise<void>;
  readonly needs?: 'processes' | 'kill';
  /** It is about one cluster. */
  readonly inOneCluster?: boolean;
}

/** So many patiences has a whole case. */
const PATIENCES = 5;

export async function playOut(harness: FamilyHarness, { name, play }: Draft): Promise<void> {
  const scene = new FamilyScene(await harness.open(), harness.patienceMs ?? PATIENCE_MS);
  try {
    await scene.arrives(play(scene), name, PATIENCES);
  } finally {
    await scene.end();
  }
}
