import { Inject } from '@nestjs/common';
import type {
  Machine,
  MachineRef,
  MachineAddress,
  RegisteredMachine,
  SpawnOptions,
  ChannelGroup,
} from '@nestjs-orchestrator/core';

/** Token of a machine's handle. */
export function getMachineToken(machine: Machine): symbol {
  return Symbol.for(`@nestjs-orchestrator/nest:machine:${machine.id}`);
}

/** Token of a named channel group of the application. */
export function getChannelGroupToken(name: string): symbol {
  return Symbol.for(`@nestjs-orchestrator/nest:channel-group:${name}`);
}

/** What `@InjectMachine(door)` gives. */
export interface MachineHandle<M extends Machine = Machine> {
  readonly machine: M;
  /** Starts a machine in the group that `forFeature` says; see `Orchestrator.spawn`. */
  spawn(options?: SpawnOptions): Promise<MachineRef<M>>;
  /** A machine at work; see `Orchestrator.ref`. */
  ref(target: string | MachineAddress): MachineRef<M>;
  /**
   * Registers the machine, with what its class implements, in a group of one's own, for example one for each tenant. The class's `@OnTransition`
   * methods are told of that group's transitions as well.
   */
  registerIn(group: ChannelGroup): RegisteredMachine<M>;
}

/**
 * Injects the handle of a machine; its module imports `OrchestratorModule.forFeature([definition])`.
 *
 * ```ts
 * constructor(@InjectMachine(door) private readonly doors: MachineHandle<typeof door>) {}
 * ```
 */
export function InjectMachine(machine: Machine): ParameterDecorator & PropertyDecorator {
  return Inject(getMachineToken(machine));
}

/**
 * Injects a channel group of the application, declared by `OrchestratorModule.forFeature([…], { channelGroup: 'billing' })` in the imports of its module.
 *
 * ```ts
 * constructor(@InjectChannelGroup('billing') private readonly billing: ChannelGroup) {}
 * ```
 */
export function InjectChannelGroup(name: string): ParameterDecorator & PropertyDecorator {
  return Inject(getChannelGroupToken(name));
}
