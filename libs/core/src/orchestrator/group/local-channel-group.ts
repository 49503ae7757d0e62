import type { EventObject, Machine } from '@nestjs-orchestrator/statechart';
import { MachineIdError, UnknownMachineError } from '../errors.js';
import { assertEvent } from '../event/assert-event.js';
import type { MachineImplementations } from '../implementations.js';
import { Start } from '../instance/deliveries.js';
import type { MachineInstance } from '../instance/machine-instance.js';
import type { MachineAddress, MachineRef } from '../machine-ref.js';
import {
  ChannelGroup,
  type DrainOptions,
  type RegisteredMachine,
  type SpawnOptions,
} from '../orchestrator.js';
import type { OrchestratorRecord, RecordStream, SubscribeOptions } from '../records.js';
import type { GroupStatistics, MetricsListener, OrchestratorHealth } from '../statistics.js';
import type { GroupCore } from './group-core.js';
import { healthOf, statisticsOf } from './group-reports.js';

const LONGEST_ID = 256;
/** Machines that are seen to before the event loop has a turn. */
const AT_ONCE = 512;

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
    const id = options.id === undefined ? core.nextId(kind) : legalId(options.id);
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
    const instance = core.resolve(target, undefined);
    if (second === undefined || instance.kind.machine === first) return instance.ref;
    throw new UnknownMachineError(`${(first as Machine).id} ${instance.id}`, instance.core.name, 'id');
  }

  override find(id: string): MachineRef | undefined {
    return this.#core.instances.get(id)?.ref;
  }

  override machines(): readonly MachineRef[] {
    return [...this.#core.instances.values()].map(({ ref }) => ref);
  }

  override async broadcast(first: EventObject | string | number, second?: EventObject): Promise<number> {
    this.#core.assertOpen();
    const core = second === undefined ? this.#core : this.#core.reach(first as string | number);
    const event = second ?? (first as EventObject);
    assertEvent(event, `every machine of ${core.name}`, core.settings.maxEventValues);
    const sends: Promise<number>[] = [];
    for (const instance of [...core.instances.values()]) {
      sends.push(sendIfAtWork(instance, event));
      if (sends.length % AT_ONCE === 0) await core.pool.turns.next();
    }
    return (await Promise.all(sends)).reduce((sum, one) => sum + one, 0);
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
    core.records.close();
  }
}

/** @throws MachineIdError */
function legalId(id: unknown): string {
  if (typeof id === 'string' && id !== '' && id.length <= LONGEST_ID && !id.includes('#')) return id;
  throw new MachineIdError(id);
}

async function sendIfAtWork(instance: MachineInstance, event: EventObject): Promise<number> {
  if (instance.ended !== undefined) return 0;
  try {
    await instance.core.reception.send(instance, event);
    return 1;
  } catch (error) {
    if (instance.ended !== undefined) return 0;
    throw error;
  }
}
