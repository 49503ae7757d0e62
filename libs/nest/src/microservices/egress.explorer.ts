import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import type { Logger } from '@nestjs-orchestrator/core/ports';
import { EGRESS, ORCHESTRATOR_HOST, ORCHESTRATOR_LOGGER } from '../module/orchestrator.tokens.js';
import type { Egress } from './egress.js';

/** Finds the ways to other applications, and says at boot what each promises. */
@Injectable()
export class EgressExplorer implements OnModuleInit {
  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(ORCHESTRATOR_HOST) private readonly host: OrchestratorHost,
    @Inject(ORCHESTRATOR_LOGGER) private readonly logger: Logger,
  ) {}

  /** @throws DuplicateDestinationError */
  onModuleInit(): void {
    for (const wrapper of this.discovery.getProviders()) {
      if (wrapper.token !== EGRESS || wrapper.isAlias) continue;
      const { binding, send } = wrapper.instance as Egress;
      const { name, messages, confirms } = binding;
      this.host.registerRemote({ name, messages: messages.map(({ messageName }) => messageName), send });
      if (confirms)
        this.logger.info(`Egress '${name}': a message leaves the outbox when the transport has confirmed it`);
      else
        this.logger.warn(
          `Egress '${name}' is lossy: a message leaves the outbox when it was written to the transport`,
        );
    }
  }
}
