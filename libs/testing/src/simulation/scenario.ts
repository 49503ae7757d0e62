import type { MessageHandler } from '@nestjs-orchestrator/core';
import type { InstanceStore, Random } from '@nestjs-orchestrator/core/ports';
import type { MemoryStore } from '@nestjs-orchestrator/core/memory';
import type { SagaBehaviour } from '@nestjs-orchestrator/core/saga';

/** A message from outside. Its source offers it until a node has taken it, always with the same id. */
export interface SimulatedInput {
  readonly id: string;
  readonly verb: 'publish' | 'send';
  readonly message: object;
}

/** What a node of a run runs. */
export interface SimulatedApplication {
  readonly sagas: readonly SagaBehaviour[];
  readonly handlers: readonly MessageHandler[];
}

/**
 * What is simulated: an application, what comes to it from outside, and what must be true in the end. `World` is everything outside of the
 * application that outlives its nodes, such as a bank; one is made for each run.
 */
export interface SimulationScenario<World> {
  world(): World;
  /** Called for each start of a node. It must do nothing at random and look at no clock but what it is given. */
  application(world: World): SimulatedApplication;
  /** What comes from outside; a run takes the first few. */
  inputs(count: number, random: Random): readonly SimulatedInput[];
  /** Whether everything has come to its end, so that a run need not wait any longer. */
  isOver(world: World, store: InstanceStore, inputs: readonly SimulatedInput[]): Promise<boolean>;
  /** What is wrong at the end of a run, a sentence each; none: all is well. */
  check(world: World, store: InstanceStore, inputs: readonly SimulatedInput[]): Promise<readonly string[]>;
  /** Virtual milliseconds after which a run ends even if {@link isOver} says no. Default 10 minutes. */
  readonly patienceMs?: number;
  /** Makes the store of a run. Default: `memoryStore()`. */
  readonly store?: () => MemoryStore;
}
