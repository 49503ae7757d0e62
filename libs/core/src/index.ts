export {
  OrchestratorError,
  isOrchestratorError,
  type OrchestratorErrorOptions,
} from './errors/orchestrator-error.js';
export { StoreSchemaError, StoreTransactionError, StoreUnavailableError } from './errors/store-errors.js';
export {
  MessageValidationError,
  NotAMessageError,
  message,
  messageTypeOf,
  parseMessage,
  type MessageType,
} from './message/message.js';
export {
  type,
  type OutputOf,
  type Schema,
  type SchemaIssue,
  type SchemaResult,
} from './message/standard-schema.js';
export { NotJsonError, PayloadTooLargeError, type Json, type JsonOnly } from './message/json.js';
export { milliseconds, type Duration } from './message/duration.js';
export type { Envelope } from './message/envelope.js';
export {
  MessageBus,
  type PublishOptions,
  type PublishReceipt,
  type TransactionalBus,
} from './bus/message-bus.js';
export { NoRouteError } from './bus/routes.js';
export { HandlerError, HandlerTimeoutError } from './handling/handler-errors.js';
export type { SendOptions } from './handling/send-options.js';
export type { MessageContext, MessageHandler } from './bus/message-context.js';
