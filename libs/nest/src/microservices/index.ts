export { ingress, type IngressBinding } from './ingress.js';
export { MessageIdMissingError } from './ingress-gate.js';
export { egress, type EgressBinding, type EmittingClient } from './egress.js';
export { rabbitMqIngress, rabbitMqRecord } from './rabbitmq.js';
export { lossyIngress } from './lossy.js';
