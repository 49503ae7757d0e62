import type { INestApplication, InjectionToken, ModuleMetadata } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { Test, type TestingModule, type TestingModuleBuilder } from '@nestjs/testing';
import type { Duration } from '@nestjs-orchestrator/core';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import { silentLogger } from '@nestjs-orchestrator/core/ports';
import {
  MachineRuntime,
  MessageBus,
  Orchestrator,
  OrchestratorModule,
  getMachineToken,
  getSagaRepositoryToken,
  type AnySaga,
  type Machine,
  type MachineHandle,
  type OrchestratorModuleOptions,
  type SagaRepository,
} from '@nestjs-orchestrator/nest';
import { countedIds } from '../clock/counted-ids.js';
import { seededRandom } from '../clock/seeded-random.js';
import { VirtualClock, VirtualClockError, type RunAllOptions } from '../clock/virtual-clock.js';
import { MachineRecorder } from '../recorder/machine-recorder.js';
import { observeEffects } from './observed-effects.js';
import { settleGroups } from './settle-groups.js';

const SHUTDOWN_STEP_MS = 1_000;

/** Work in memory announces itself; rounds that look for other work would be most of what a test waits for when it moves time by days. */
const RARE_ROUNDS = { pollIntervalMs: 600_000, leaseMs: 3_600_000 };

/** Options of {@link createOrchestratorTestingModule}: those of `OrchestratorModule.forRoot()`, with defaults for tests. */
export interface OrchestratorTestingOptions extends Omit<OrchestratorModuleOptions, 'clock' | 'random'> {
  /** Default: a new one. */
  readonly clock?: VirtualClock;
  /** Fixes everything that is left to chance. Default: 1. */
  readonly seed?: number;
  /** Replaces providers before the module is compiled: `(builder) => builder.overrideProvider(Mail).useValue(fake)`. */
  readonly configure?: (builder: TestingModuleBuilder) => TestingModuleBuilder;
  /** Whether `app`, an HTTP application that is initialised and does not listen yet, is made. Default: `false`. */
  readonly http?: boolean;
}

/** An application under test: started, on virtual time, with a channel group, a store and a recorder of its own. */
export class OrchestratorTestingModule {
  /** @internal */
  constructor(
    readonly module: TestingModule,
    readonly clock: VirtualClock,
    /** Has recorded everything since the start; see {@link MachineRecorder}. */
    readonly recorder: MachineRecorder,
    private readonly application: INestApplication | undefined,
  ) {}

  /** The HTTP application, with option `http`. */
  get app(): INestApplication {
    if (this.application !== undefined) return this.application;
    throw new Error(
      'There is no HTTP application. Give createOrchestratorTestingModule() the option { http: true }.',
    );
  }

  /** The application's channel group. */
  get orchestrator(): Orchestrator {
    return this.get(Orchestrator);
  }

  get bus(): MessageBus {
    return this.get(MessageBus);
  }

  /** A provider of any module. */
  get<T>(token: InjectionToken<T>): T {
    return this.module.get<T>(token, { strict: false });
  }

  /** What `@InjectMachine(machine)` gives. */
  machines<M extends Machine>(machine: M): MachineHandle<M> {
    return this.get<MachineHandle<M>>(getMachineToken(machine));
  }

  /** What `@InjectSagaRepository(saga)` gives. */
  sagas<S extends AnySaga>(saga: S): SagaRepository<S> {
    return this.get<SagaRepository<S>>(getSagaRepositoryToken(saga));
  }

  /** Moves time on (`90_000`, `'24h'`); what becomes due runs at its own instant, each after the one before has settled. */
  advance(by: Duration | number): Promise<void> {
    return this.clock.advance(by);
  }

  /** Moves time to an instant, in milliseconds since the epoch. */
  advanceTo(instant: number): Promise<void> {
    return this.clock.advanceTo(instant);
  }

  /**
   * Moves time from timer to timer until no machine has one left. Timers of sagas are not waited for: they may be far away; use `advance`.
   *
   * @throws VirtualClockError after `most` moves (default 10 000): machines that arm a timer again and again never end
   */
  async runAll({ most = 10_000 }: RunAllOptions = {}): Promise<void> {
    const groups = this.get(MachineRuntime).groups();
    await this.clock.runUntil(() => groups.every((group) => group.released || group.stats().timers === 0), {
      most,
    });
  }

  /**
   * Settles when nothing moves any more at the present instant. Of what is real and takes its time, as a query or a file of a handler, it waits for what `clock`
   * was told of ({@link VirtualClock.track}, {@link VirtualClock.tracked}): a handler that hangs, or that the test itself holds, keeps no test waiting.
   */
  settled(): Promise<void> {
    return this.clock.settled();
  }

  /** Shuts the application down; its groups are released, its policies taken off. Moves time where the shutdown waits for it. */
  async close(): Promise<void> {
    const state = { closed: false };
    const closing = (this.application ?? this.module).close().finally(() => {
      state.closed = true;
    });
    // What ignores its signal is given up by a time-out of the virtual clock.
    while (!state.closed) await this.step();
    await closing;
    this.recorder.stop();
  }

  /** A test that failed may have left time moving. */
  private async step(): Promise<void> {
    try {
      await this.clock.advance(SHUTDOWN_STEP_MS);
    } catch (error) {
      if (!(error instanceof VirtualClockError)) throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Starts an application for a test. `metadata` is what `Test.createTestingModule` takes, without `OrchestratorModule.forRoot()`, which is added: everything in
 * memory, on a virtual clock, with counted ids and seeded chance, in a channel group that no other test sees. Knows no test runner.
 *
 * ```ts
 * await using t = await createOrchestratorTestingModule({ imports: [DoorModule] });
 * const front = await t.machines(door).spawn({ id: 'front' });
 * await front.send({ type: 'OPEN' });
 * await t.advance('5s');
 * t.recorder.expectPath('front', ['shut', 'open', 'shut']);
 * ```
 */
export async function createOrchestratorTestingModule(
  metadata: ModuleMetadata,
  options: OrchestratorTestingOptions = {},
): Promise<OrchestratorTestingModule> {
  const { clock = new VirtualClock(), seed = 1, configure, http = false, ...rest } = options;
  const root = OrchestratorModule.forRoot({
    isGlobal: true,
    store: memoryStore({ clock }),
    ids: countedIds('id'),
    logger: silentLogger,
    ...RARE_ROUNDS,
    ...rest,
    random: seededRandom(seed),
    clock,
  });
  const builder = Test.createTestingModule({ ...metadata, imports: [root, ...(metadata.imports ?? [])] });
  const module = await (configure?.(builder) ?? builder).compile();
  const runtime = module.get(MachineRuntime, { strict: false });
  const recorder = new MachineRecorder(runtime.application);
  observeEffects(module.get(DiscoveryService, { strict: false }), recorder);
  clock.whenIdle('the machines of the application', () => settleGroups(runtime.groups()));
  const app = http ? module.createNestApplication({ logger: false }) : undefined;
  await (app ?? module).init();
  return new OrchestratorTestingModule(module, clock, recorder, app);
}
