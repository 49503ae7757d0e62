import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import type { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import { OrchestratorExplorer } from '../explorer/orchestrator.explorer.js';
import { OrchestratorHealth } from '../health/orchestrator.health.js';
import { MachineRuntime } from '../machine/machine-runtime.js';
import { protect } from '../resilience/protected-method.js';
import { ORCHESTRATOR_HOST } from './orchestrator.tokens.js';

/** Ties the node to the application's life. */
@Injectable()
export class OrchestratorLifecycle
  implements
    OnModuleInit,
    OnApplicationBootstrap,
    OnModuleDestroy,
    BeforeApplicationShutdown,
    OnApplicationShutdown
{
  /** Take the policies off the methods that have them. */
  private unprotect: readonly (() => void)[] = [];

  constructor(
    @Inject(ORCHESTRATOR_HOST) private readonly host: OrchestratorHost,
    @Inject(OrchestratorExplorer) private readonly explorer: OrchestratorExplorer,
    @Inject(MachineRuntime) private readonly machines: MachineRuntime,
    @Inject(OrchestratorHealth) private readonly health: OrchestratorHealth,
  ) {}

  async onModuleInit(): Promise<void> {
    const { sagas, handlers, machines, protections } = this.explorer.explore();
    for (const saga of sagas) this.host.register(saga);
    for (const handler of handlers) this.host.registerHandler(handler);
    await this.machines.start(machines);
    this.unprotect = protections.map(protect);
  }

  async onApplicationBootstrap(): Promise<void> {
    try {
      await this.host.start();
      await this.machines.startDurables();
    } catch (error) {
      // Nest ends nothing of an application that could not start: others would go on seeing its machines. Why it could not start is what counts.
      await this.onApplicationShutdown().catch(() => undefined);
      throw error;
    }
  }

  onModuleDestroy(): void {
    this.host.stopPulling();
  }

  beforeApplicationShutdown(): void {
    this.health.closing();
  }

  async onApplicationShutdown(): Promise<void> {
    try {
      // Handlers may ask machines and machines may publish, so neither ends before both are at rest.
      await this.machines.drain();
      await this.machines.closeDurables();
      await this.host.close();
    } finally {
      await this.machines.release();
      for (const undo of this.unprotect) undo();
    }
  }
}
