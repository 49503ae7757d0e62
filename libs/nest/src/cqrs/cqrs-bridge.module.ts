import { Module, type DynamicModule } from '@nestjs/common';
import { OrchestratorCoreModule } from '../module/orchestrator-core.module.js';
import { CQRS_BRIDGE, CqrsBridge, type CqrsBridgeOptions } from './cqrs-bridge.js';

/**
 * Joins the `EventBus` of `@nestjs/cqrs` and machines. The application imports `CqrsModule.forRoot()` and `OrchestratorModule.forRoot()` as well.
 *
 * ```ts
 * CqrsBridgeModule.register({
 *   toMachines: [fromEventBus(OrderPlaced, parcel, ({ orderId }) => ({ id: orderId, event: { type: 'PLACED' }, spawn: {} }))],
 *   toEvents: [toEventBus(parcel, ({ machine, after }) => (matches(after, 'delivered') ? new Delivered(machine.id) : undefined))],
 * })
 * ```
 *
 * Both live in memory: what is under way when the process dies is lost. For work that must not be, use the `MessageBus`.
 */
@Module({})
export class CqrsBridgeModule {
  static register(options: CqrsBridgeOptions): DynamicModule {
    return {
      module: CqrsBridgeModule,
      imports: [OrchestratorCoreModule],
      providers: [{ provide: CQRS_BRIDGE, useValue: options }, CqrsBridge],
    };
  }
}
