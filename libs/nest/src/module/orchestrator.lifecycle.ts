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
    @Inject(OrchestratorHealth) private readonly health: OrchestratorHealth,
  ) {}

  onModuleInit(): void {
    const { sagas, handlers, protections } = this.explorer.explore();
    for (const saga of sagas) this.host.register(saga);
    for (const handler of handlers) this.host.registerHandler(handler);
    this.unprotect = protections.map(protect);
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.host.start();
  }

  onModuleDestroy(): void {
    this.host.stopPulling();
  }

  beforeApplicationShutdown(): void {
    this.health.closing();
  }

  async onApplicationShutdown(): Promise<void> {
    try {
      await this.host.close();
    } finally {
      for (const undo of this.unprotect) undo();
    }
  }
}
