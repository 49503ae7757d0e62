export { CqrsBridgeModule } from './cqrs-bridge.module.js';
export type { CqrsBridgeOptions } from './cqrs-bridge.js';
export {
  fromEventBus,
  toEventBus,
  type InboundRoute,
  type MachineDelivery,
  type OutboundRoute,
} from './bridge-routes.js';
