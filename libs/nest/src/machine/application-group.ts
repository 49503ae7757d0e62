import {
  ChannelGroup,
  type ClusterMachine,
  type ClusterProcess,
  OrchestratorError,
  type DrainOptions,
  type DurableLetter,
  type DurableLetterOptions,
  type DurableOptions,
  type EventObject,
  type GroupStatistics,
  type LetterAudit,
  type Machine,
  type MachineAddress,
  type MachineImplementations,
  type MachineRef,
  type MetricsListener,
  type OrchestratorHealth,
  type OrchestratorRecord,
  type RecordStream,
  type ReasonedLetterAudit,
  type RegisteredMachine,
  type SpawnOptions,
  type SubscribeOptions,
} from '@nestjs-orchestrator/core';
import { closeDurables, expectDurables, startDurables } from '@nestjs-orchestrator/core/internal';
import type { InstanceStore } from '@nestjs-orchestrator/core/ports';

/** The application has not opened its channel group yet. */
export class ApplicationNotStartedError extends OrchestratorError {
  readonly code = 'APPLICATION_NOT_STARTED';
  constructor(readonly group: string) {
    super(
      `Channel group '${group}' opens when the application initialises. Use it from onApplicationBootstrap on, not in a constructor or ` +
        `in onModuleInit.`,
    );
  }
}

/**
 * A channel group of the application: opened when it starts, released when it shuts down, so that an application that can't start leaves
 * none behind. Whatever is asked of it goes to the group.
 */
export class ApplicationGroup extends ChannelGroup {
  private opened: ChannelGroup | undefined;
  /** Subscriptions that wait for the opening, and the way out of each once it is open. */
  private readonly waiting = new Map<symbol, () => () => void>();
  private readonly subscribed = new Map<symbol, () => void>();

  constructor(
    readonly name: string,
    private readonly make: () => ChannelGroup | Promise<ChannelGroup>,
  ) {
    super();
  }

  /** @internal */
  async open(): Promise<void> {
    if (this.opened !== undefined) return;
    this.opened = await this.make();
    for (const [key, subscribe] of this.waiting) this.subscribed.set(key, subscribe());
    this.waiting.clear();
  }

  /** Durable machines come when their store is open. @internal */
  expectStore(): void {
    expectDurables(this.group);
  }

  /** Keeps durable machines in a store that was started. @internal */
  async keepIn(store: InstanceStore, options: DurableOptions): Promise<void> {
    await startDurables(this.group, store, options);
  }

  /** Finishes what durable machines are doing, while their store is open. @internal */
  async letDurablesGo(): Promise<void> {
    if (this.opened !== undefined) await closeDurables(this.opened);
  }

  /** Whether it was opened. @internal */
  get isOpen(): boolean {
    return this.opened !== undefined;
  }

  get groupId(): number {
    return this.group.groupId;
  }

  get createdAt(): number {
    return this.group.createdAt;
  }

  get released(): boolean {
    return this.opened?.released ?? false;
  }

  register<M extends Machine>(machine: M, implementations?: MachineImplementations<M>): RegisteredMachine<M> {
    return this.group.register(machine, implementations);
  }

  async spawn<M extends Machine>(machine: M, options?: SpawnOptions): Promise<MachineRef<M>> {
    return this.group.spawn(machine, options);
  }

  ref(target: string | MachineAddress): MachineRef;
  ref<M extends Machine>(machine: M, target: string | MachineAddress): MachineRef<M>;
  ref(machine: Machine | string | MachineAddress, target?: string | MachineAddress): MachineRef {
    return target === undefined
      ? this.group.ref(machine as string | MachineAddress)
      : this.group.ref(machine as Machine, target);
  }

  find(id: string): MachineRef | undefined {
    return this.group.find(id);
  }

  async locate(target: string | MachineAddress): Promise<MachineRef | undefined> {
    return this.group.locate(target);
  }

  processes(): readonly ClusterProcess[] {
    return this.group.processes();
  }

  async machineNames(): Promise<readonly ClusterMachine[]> {
    return this.group.machineNames();
  }

  machines(): readonly MachineRef[] {
    return this.group.machines();
  }

  broadcast(event: EventObject): Promise<number>;
  broadcast(group: string | number, event: EventObject): Promise<number>;
  async broadcast(group: string | number | EventObject, event?: EventObject): Promise<number> {
    return event === undefined
      ? this.group.broadcast(group as EventObject)
      : this.group.broadcast(group as string | number, event);
  }

  async *deadLetters(options?: DurableLetterOptions): AsyncGenerator<DurableLetter> {
    yield* this.group.deadLetters(options);
  }

  async replayLetter(letter: Pick<DurableLetter, 'letter'>, audit: LetterAudit): Promise<boolean> {
    return this.group.replayLetter(letter, audit);
  }

  async discardLetter(letter: Pick<DurableLetter, 'letter'>, audit: ReasonedLetterAudit): Promise<boolean> {
    return this.group.discardLetter(letter, audit);
  }

  /** A listener may come before the group opens; it is told from the first record on. */
  subscribe(listener: (record: OrchestratorRecord) => void, options?: SubscribeOptions): () => void;
  subscribe(options?: SubscribeOptions): RecordStream;
  subscribe(
    first?: ((record: OrchestratorRecord) => void) | SubscribeOptions,
    options?: SubscribeOptions,
  ): (() => void) | RecordStream {
    if (typeof first !== 'function') return this.group.subscribe(first);
    return this.opened === undefined ? this.later(first, options) : this.opened.subscribe(first, options);
  }

  private later(listener: (record: OrchestratorRecord) => void, options?: SubscribeOptions): () => void {
    const key = Symbol('subscription');
    this.waiting.set(key, () => this.group.subscribe(listener, options));
    return () => {
      this.waiting.delete(key);
      this.subscribed.get(key)?.();
    };
  }

  observe(listener: MetricsListener): () => void {
    return this.group.observe(listener);
  }

  stats(): GroupStatistics {
    return this.group.stats();
  }

  health(): OrchestratorHealth {
    return this.group.health();
  }

  async settled(): Promise<void> {
    await this.group.settled();
  }

  async drain(options?: DrainOptions): Promise<void> {
    await this.group.drain(options);
  }

  async release(): Promise<void> {
    await this.opened?.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  private get group(): ChannelGroup {
    if (this.opened === undefined) throw new ApplicationNotStartedError(this.name);
    return this.opened;
  }
}
