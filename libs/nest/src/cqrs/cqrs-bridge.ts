import {
  Inject,
  Injectable,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { EventBus, ofType, type IEvent } from '@nestjs/cqrs';
import { DuplicateIdError, type ChannelGroup, type OrchestratorRecord } from '@nestjs-orchestrator/core';
import type { Logger } from '@nestjs-orchestrator/core/ports';
import type { Subscription } from 'rxjs';
import { MachineRuntime } from '../machine/machine-runtime.js';
import { ORCHESTRATOR_LOGGER } from '../module/orchestrator.tokens.js';
import type { InboundRoute, MachineDelivery, OutboundRoute } from './bridge-routes.js';

/** Token of what {@link CqrsBridgeModule} was given. */
export const CQRS_BRIDGE = Symbol.for('@nestjs-orchestrator/nest:cqrs-bridge');

/** What goes over the bridge. */
export interface CqrsBridgeOptions {
  readonly toMachines?: readonly InboundRoute[];
  readonly toEvents?: readonly OutboundRoute[];
  /** Channel group of the machines, as `forFeature` named it. Default: the application's own. */
  readonly channelGroup?: string;
}

/** Carries events between the `EventBus` and machines while the application runs. */
@Injectable()
export class CqrsBridge implements OnModuleInit, OnModuleDestroy, OnApplicationShutdown {
  private readonly group: ChannelGroup;
  private readonly inbound: Subscription[] = [];
  private outbound: (() => void)[] = [];
  /** The last delivery to each machine that has one under way. */
  private readonly lines = new Map<string, Promise<void>>();

  constructor(
    @Inject(EventBus) private readonly events: EventBus,
    @Inject(MachineRuntime) runtime: MachineRuntime,
    @Inject(ORCHESTRATOR_LOGGER) private readonly logger: Logger,
    @Inject(CQRS_BRIDGE) private readonly options: CqrsBridgeOptions,
  ) {
    this.group = runtime.group(options.channelGroup);
  }

  onModuleInit(): void {
    const { toMachines = [], toEvents = [] } = this.options;
    for (const route of toMachines) {
      this.inbound.push(this.events.pipe(ofType(route.event)).subscribe((event) => this.take(route, event)));
    }
    this.outbound = toEvents.map((route) =>
      this.group.subscribe((record) => this.publish(route, record), { only: route.only }),
    );
  }

  /** Nothing more comes in; what machines still do goes out until they are at rest. */
  onModuleDestroy(): void {
    for (const subscription of this.inbound) subscription.unsubscribe();
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.lines.values());
    for (const unsubscribe of this.outbound) unsubscribe();
  }

  private take(route: InboundRoute, event: IEvent): void {
    this.guarded(`An event for machine '${route.machine.id}' could not be mapped`, () => {
      const delivery = route.deliver(event);
      if (delivery !== undefined) this.enqueue(route, delivery);
    });
  }

  /** One after the other for each machine, since the first one may have to start it. */
  private enqueue(route: InboundRoute, delivery: MachineDelivery): void {
    const before = this.lines.get(delivery.id) ?? Promise.resolve();
    const line = before.then(() => this.deliver(route, delivery));
    this.lines.set(delivery.id, line);
    void line.then(() => {
      if (this.lines.get(delivery.id) === line) this.lines.delete(delivery.id);
    });
  }

  private async deliver({ machine }: InboundRoute, { id, event, spawn }: MachineDelivery): Promise<void> {
    try {
      if (spawn !== undefined && this.group.find(id) === undefined) await this.started(machine, id, spawn);
      await this.group.ref(machine, id).send(event);
    } catch (error) {
      this.logger.error(`Event '${event.type}' did not reach machine '${id}'`, {
        machine: machine.id,
        error: String(error),
      });
    }
  }

  /** Somebody else may start it at the same time. */
  private async started(
    machine: InboundRoute['machine'],
    id: string,
    spawn: NonNullable<MachineDelivery['spawn']>,
  ): Promise<void> {
    try {
      await this.group.spawn(machine, { ...spawn, id });
    } catch (error) {
      if (!(error instanceof DuplicateIdError)) throw error;
    }
  }

  private publish({ machine, publish }: OutboundRoute, record: OrchestratorRecord): void {
    if (!('machine' in record) || record.machine.definition !== machine.id) return;
    this.guarded(`A record of machine '${record.machine.id}' could not be published`, () => {
      const event = publish(record);
      if (event !== undefined) this.events.publish(event);
    });
  }

  private guarded(what: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.logger.error(what, { error: String(error) });
    }
  }
}
