import type { EventObject, Machine } from '@nestjs-orchestrator/statechart';
import type { ClusterMember } from '../cluster/cluster-member.js';
import type { ClusterMachine, ClusterProcess } from '../cluster/cluster-statistics.js';
import { ClusterUnreachableError } from '../cluster/cluster-errors.js';
import { RemoteRef } from '../cluster/remote/remote-ref.js';
import type {
  DurableLetter,
  DurableLetterOptions,
  LetterAudit,
  ReasonedLetterAudit,
} from '../durable/durable-letters.js';
import { KeptMachine } from '../durable/kept-machine.js';
import { KeptRef } from '../durable/kept-ref.js';
import { DuplicateIdError, MachineIdError, OrchestratorOptionError, UnknownMachineError } from '../errors.js';
import type { MachineImplementations } from '../implementations.js';
import { Start } from '../instance/deliveries.js';
import type { MachineKind } from '../instance/machine-kind.js';
import { isMachineId } from '../machine-id.js';
import type { GroupAddress, MachineAddress, MachineRef } from '../machine-ref.js';
import {
  ChannelGroup,
  type DrainOptions,
  type RegisteredMachine,
  type SpawnOptions,
} from '../orchestrator.js';
import type { OrchestratorRecord, RecordStream, SubscribeOptions } from '../records.js';
import type { GroupStatistics, MetricsListener, OrchestratorHealth } from '../statistics.js';
import { AT_ONCE, type GroupCore } from './group-core.js';
import { healthOf, statisticsOf } from './group-reports.js';

type Listener = (record: OrchestratorRecord) => void;

/** A group in this process. */
export class LocalChannelGroup extends ChannelGroup {
  readonly groupId: number;
  readonly name: string;
  readonly createdAt: number;
  readonly #core: GroupCore;
  #releasing: Promise<void> | undefined = undefined;

  constructor(core: GroupCore) {
    super();
    this.#core = core;
    this.groupId = core.groupId;
    this.name = core.name;
    this.createdAt = core.clock.now();
  }

  get released(): boolean {
    return this.#core.released;
  }

  override register<M extends Machine>(
    machine: M,
    implementations?: MachineImplementations<M>,
  ): RegisteredMachine<M> {
    this.#core.register(machine, implementations as MachineImplementations | undefined);
    return {
      machine,
      spawn: (options) => this.spawn(machine, options),
      ref: (id) => this.ref(machine, id),
    };
  }

  override async spawn<M extends Machine>(machine: M, options: SpawnOptions = {}): Promise<MachineRef<M>> {
    const core = this.#core;
    core.assertOpen();
    const kind = core.kindOf(machine);
    if (options.durable === true) return this.#beginDurable<M>(kind, options);
    const id = options.id === undefined ? core.nextId(kind) : legalId(options.id);
    if (core.durable === undefined || options.id === undefined || options.local === true)
      return this.#beginNamed(kind, id, options);
    const { durable } = core;
    return durable.claiming(id, async () => {
      await durable.assertFree(id);
      core.assertOpen();
      return this.#beginNamed<M>(kind, id, options);
    });
  }

  async #beginNamed<M extends Machine>(
    kind: MachineKind,
    id: string,
    options: SpawnOptions,
  ): Promise<MachineRef<M>> {
    const core = this.#core;
    if (core.cluster === undefined || options.local === true) return this.#begin(kind, id, options);
    if (core.instances.has(id)) throw new DuplicateIdError(id, core.name);
    const claimed = await claimName(core, core.cluster, kind, id, options.id !== undefined);
    try {
      core.assertOpen();
      return await this.#begin<M>(kind, claimed, options);
    } catch (error) {
      await core.cluster.names.release(claimed);
      throw error;
    }
  }

  /** Its name is held while it begins only: from then on it is found by its store. */
  async #beginDurable<M extends Machine>(kind: MachineKind, options: SpawnOptions): Promise<MachineRef<M>> {
    const core = this.#core;
    const { durable, cluster } = core;
    if (options.local === true)
      throw new OrchestratorOptionError('local', 'can not go with durable: the machine may move', true);
    if (durable === undefined) throw core.notDurable(kind);
    const id = legalId(options.id);
    const { input, messageId = core.settings.ids.next() } = options;
    await durable.claiming(id, async () => {
      await cluster?.names.claim(id, kind.id);
      try {
        await durable.begin(kind, id, input, messageId);
      } finally {
        await cluster?.names.release(id);
      }
    });
    return this.ref(kind.machine as M, id);
  }

  #begin<M extends Machine>(kind: MachineKind, id: string, options: SpawnOptions): Promise<MachineRef<M>> {
    const core = this.#core;
    return new Promise<MachineRef<M>>((resolve, reject) => {
      const started = (): void => resolve(instance.ref as unknown as MachineRef<M>);
      const instance = core.begin(kind, id, undefined, new Start(options.input, started, reject));
    });
  }

  override ref(target: string | MachineAddress): MachineRef;
  override ref<M extends Machine>(machine: M, target: string | MachineAddress): MachineRef<M>;
  override ref(first: Machine | string | MachineAddress, second?: string | MachineAddress): MachineRef {
    const core = this.#core;
    core.assertOpen();
    const target = second ?? (first as string | MachineAddress);
    const definition = second === undefined ? undefined : (first as Machine);
    const instance = core.receiverOf(target, undefined);
    if (instance instanceof KeptMachine) return new KeptRef(instance, definition);
    if (!('core' in instance)) return new RemoteRef(instance, definition);
    if (definition === undefined || instance.kind.machine === definition) return instance.ref;
    throw new UnknownMachineError(`${(first as Machine).id} ${instance.id}`, instance.core.name, 'id');
  }

  override find(id: string): MachineRef | undefined {
    return this.#core.instances.get(id)?.ref;
  }

  override async locate(target: string | MachineAddress): Promise<MachineRef | undefined> {
    const core = this.#core;
    core.assertOpen();
    try {
      const found = core.receiverOf(target, undefined);
      if ('core' in found) return found.ref;
      if (found instanceof KeptMachine)
        return (await found.isAlive()) ? new KeptRef(found, undefined) : undefined;
      const place = await found.locate();
      if (place === undefined) return undefined;
      return 'core' in place ? place.ref : new RemoteRef(found, undefined);
    } catch (error) {
      if (error instanceof UnknownMachineError) return undefined;
      throw error;
    }
  }

  override processes(): readonly ClusterProcess[] {
    const { cluster, name, groupId } = this.#core;
    if (cluster !== undefined) return cluster.processes();
    const incarnation = String(groupId);
    return [{ endpoint: name, incarnation, state: 'up', pid: undefined, self: true }];
  }

  override async machineNames(of?: string): Promise<readonly ClusterMachine[]> {
    const { cluster, instances, name } = this.#core;
    if (cluster !== undefined) return cluster.machineNames(of);
    if (of !== undefined) throw new ClusterUnreachableError(of, undefined);
    return [...instances.values()].map(({ id, kind }) => ({
      group: name,
      id,
      definition: kind.id,
      endpoint: name,
    }));
  }

  override async *deadLetters(options?: DurableLetterOptions): AsyncGenerator<DurableLetter> {
    yield* this.#core.letters().deadLetters(options);
  }

  override async replayLetter(letter: Pick<DurableLetter, 'letter'>, audit: LetterAudit): Promise<boolean> {
    return this.#core.letters().replayLetter(letter, audit);
  }

  override async discardLetter(
    letter: Pick<DurableLetter, 'letter'>,
    audit: ReasonedLetterAudit,
  ): Promise<boolean> {
    return this.#core.letters().discardLetter(letter, audit);
  }

  override machines(): readonly MachineRef[] {
    return [...this.#core.instances.values()].map(({ ref }) => ref);
  }

  override async broadcast(
    first: EventObject | string | number | GroupAddress,
    second?: EventObject,
  ): Promise<number> {
    const own = this.#core;
    own.assertOpen();
    const event = second ?? (first as EventObject);
    const group = second === undefined ? own.name : (first as string | number | GroupAddress);
    if (typeof group === 'object') return own.broadcastTo(group, event);
    if (own.cluster === undefined)
      return (second === undefined ? own : own.reach(group)).broadcastHere(event);
    return own.cluster.broadcastEverywhere(group, event);
  }

  override subscribe(listener: Listener, options?: SubscribeOptions): () => void;
  override subscribe(options?: SubscribeOptions): RecordStream;
  override subscribe(
    first?: Listener | SubscribeOptions,
    options?: SubscribeOptions,
  ): (() => void) | RecordStream {
    const core = this.#core;
    core.assertOpen();
    return typeof first === 'function' ? core.records.listen(first, options) : core.records.stream(first);
  }

  override observe(listener: MetricsListener): () => void {
    return this.#core.meters.observe(listener);
  }

  override stats(): GroupStatistics {
    return statisticsOf(this.#core);
  }

  override health(): OrchestratorHealth {
    return healthOf(this.#core);
  }

  override drain(options: DrainOptions = {}): Promise<void> {
    return this.#core.rest.wait(options);
  }

  override settled(): Promise<void> {
    return this.#core.pool.quiet();
  }

  override release(): Promise<void> {
    return (this.#releasing ??= this.#release());
  }

  override [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  async #release(): Promise<void> {
    const core = this.#core;
    core.released = true;
    let ended = 0;
    for (const instance of core.instances.values()) {
      instance.end('released');
      ended += 1;
      if (ended % AT_ONCE === 0) await core.pool.turns.next();
    }
    core.realm.forget(core);
    await core.endings.all();
    await core.durable?.close();
    await core.cluster?.leave(core.settings.releaseTimeoutMs);
    core.records.close();
  }
}

/** @throws MachineIdError */
function legalId(id: unknown): string {
  if (isMachineId(id)) return id;
  throw new MachineIdError(id);
}

/** Claims an id for a machine; where nobody has chosen it, another one if it is held elsewhere. */
async function claimName(
  core: GroupCore,
  cluster: ClusterMember,
  kind: MachineKind,
  id: string,
  chosen: boolean,
): Promise<string> {
  try {
    await cluster.names.claim(id, kind.id);
    return id;
  } catch (error) {
    if (chosen || !(error instanceof DuplicateIdError)) throw error;
    const other = `${kind.id.replaceAll('#', '_')}-${core.settings.ids.next().replaceAll('#', '_')}`;
    await cluster.names.claim(other, kind.id);
    return other;
  }
}
