export { ingress, type IngressBinding } from './ingress.js';
export { MessageIdMissingError } from './ingress-gate.js';
export { egress, type EgressBinding, type EmittingClient } from './egress.js';
export { rabbitMqIngress, rabbitMqRecord } from './rabbitmq.js';
export { lossyIngress } from './lossy.js';
export { transportIngress } from './transport-ingress.js';
export { TransportClient } from './transport/transport-client.js';
export { TransportContext } from './transport/transport-context.js';
export {
  TransportServer,
  type TransportServerEvents,
  type TransportStatus,
} from './transport/transport-server.js';
export type {
  ServiceOptions,
  TransportClientOptions,
  TransportServerOptions,
} from './transport/transport-options.js';
export type {
  EndpointStatistics,
  PlaceState,
  TransportClientStatistics,
  TransportServerStatistics,
} from './transport/statistics.js';
export {
  ClientClosedError,
  EventNotHandledError,
  PacketBrokenError,
  ServerLostError,
  ServiceUnavailableError,
} from './transport/transport-errors.js';
