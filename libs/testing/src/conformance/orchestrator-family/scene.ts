import type { ChannelGroup, MachineRef, OrchestratorRecord, RecordType } from '@nestjs-orchestrator/core';
import { arrives, handled, PATIENCE_MS } from '../gates.js';
import type { AwayMember, AwayProcesses } from './away.js';
import type { FamilyHarness, FamilyOptions, OpenedFamily } from './harness.js';
import { LocalMember, type Member } from './member.js';
import type { Address } from './notebook.js';

/** What a case is played with. */
export class FamilyScene {
  private readonly here = new Map<ChannelGroup, LocalMember>();
  private readonly away = new Set<AwayMember>();

  constructor(
    private readonly opened: OpenedFamily,
    private readonly processes: AwayProcesses | undefined,
    private readonly patienceMs: number,
  ) {}

  /** One more process: another one where the harness starts them. */
  async join(endpoint: string): Promise<Member> {
    if (this.processes === undefined) return this.joinHere(endpoint);
    const process = await this.processes.take();
    try {
      const member = await process.join(this.options(endpoint), this.opened.place, this.patienceMs);
      this.away.add(member);
      return member;
    } catch (error) {
      this.processes.giveBack(process);
      throw error;
    }
  }

  async joinHere(endpoint: string): Promise<LocalMember> {
    const group = await this.opened.create(this.options(endpoint));
    const there = this.here.get(group);
    if (there !== undefined) return there;
    const member = new LocalMember(group, this.patienceMs);
    this.here.set(group, member);
    return member;
  }

  /** This process and another one, which know of each other; in-process they are one. */
  async pair(): Promise<readonly [LocalMember, Member]> {
    const one = await this.joinHere('one');
    const two = await this.join('two');
    await this.acquainted(one, two);
    return [one, two];
  }

  /** A machine of another process. */
  far(from: LocalMember, id: string): MachineRef {
    return from.group.ref(this.address(id));
  }

  address(id: string): Address {
    return this.opened.address?.(id) ?? id;
  }

  async acquainted(...members: readonly Member[]): Promise<void> {
    if (this.opened.address !== undefined) return;
    const { size } = new Set(members);
    for (const member of members) await member.knows(size);
  }

  /** The next record of one type that fits. */
  next<T extends RecordType>(
    { group }: LocalMember,
    type: T,
    fits: (record: Extract<OrchestratorRecord, { type: T }>) => boolean = () => true,
  ): Promise<Extract<OrchestratorRecord, { type: T }>> {
    const came = new Promise<Extract<OrchestratorRecord, { type: T }>>((resolve) => {
      const stop = group.subscribe(
        (record) => {
          if (!fits(record as Extract<OrchestratorRecord, { type: T }>)) return;
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

  /** Another process is killed; where there are none, what it would be. */
  async kill(member: Member): Promise<void> {
    if (member instanceof LocalMember) {
      await this.opened.kill?.(member.group);
      await member.letGo();
      return;
    }
    this.away.delete(member as AwayMember);
    await (member as AwayMember).process.kill();
  }

  async leave(member: Member): Promise<void> {
    await member.leave();
    if (!this.away.delete(member as AwayMember)) return;
    this.processes?.giveBack((member as AwayMember).process);
  }

  async end(): Promise<void> {
    const members = [...this.here.values(), ...this.away];
    for (const member of members) await member.letGo();
    for (const member of this.away) await this.leave(member);
    for (const member of this.here.values()) await member.leave();
    await this.opened.close();
  }

  private options(endpoint: string): FamilyOptions {
    return { name: 'notes', endpoint, requestTimeoutMs: this.patienceMs, releaseTimeoutMs: 100 };
  }
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

export async function playOut(
  harness: FamilyHarness,
  processes: AwayProcesses | undefined,
  { name, play }: Draft,
): Promise<void> {
  const scene = new FamilyScene(await harness.open(), processes, harness.patienceMs ?? PATIENCE_MS);
  try {
    await scene.arrives(play(scene), name, PATIENCES);
  } finally {
    await scene.end();
  }
}
