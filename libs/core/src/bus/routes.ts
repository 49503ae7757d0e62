import { OrchestratorError } from '../errors/orchestrator-error.js';

/** Nobody, or more than one, answers a command. */
export class NoRouteError extends OrchestratorError {
  readonly code = 'NO_ROUTE';
  constructor(
    readonly messageName: string,
    readonly destinations: readonly string[],
  ) {
    super(
      destinations.length === 0
        ? `Nobody handles '${messageName}'. Add @Handles to a provider's method, or let a saga answer it.`
        : `'${messageName}' was sent as a command, but ${destinations.length} answer it: ${destinations.join(', ')}. ` +
            `A command has exactly one handler; publish() it as an event, or give it one.`,
    );
  }
}

/** Two handlers or sagas claim the same stored name. */
export class DuplicateDestinationError extends OrchestratorError {
  readonly code = 'DUPLICATE_DESTINATION';
}

/** Who answers which message, on this node. */
export class Routes {
  private readonly byMessage = new Map<string, string[]>();

  add(messageName: string, destination: string): void {
    const known = this.byMessage.get(messageName) ?? [];
    if (known.includes(destination)) return;
    this.byMessage.set(messageName, [...known, destination]);
  }

  /** Everybody who answers an event; possibly nobody. */
  subscribers(messageName: string): readonly string[] {
    return this.byMessage.get(messageName) ?? [];
  }

  /**
   * The one who answers a command.
   *
   * @throws NoRouteError
   */
  handler(messageName: string): string {
    const known = this.subscribers(messageName);
    if (known.length !== 1) throw new NoRouteError(messageName, known);
    return known[0] as string;
  }
}

/** Destination of a saga's messages in the outbox. */
export const sagaDestination = (name: string): string => `saga:${name}`;
/** Destination of a saga's undo steps. */
export const undoDestination = (name: string): string => `undo:${name}`;
/** Destination of a `@Handles` method's messages. */
export const handlerDestination = (name: string): string => `handler:${name}`;
/** Begins the destination of a remote route's messages. */
const REMOTE = 'remote:';
/** Destination of a remote route's messages in the outbox. */
export const remoteDestination = (name: string): string => `${REMOTE}${name}`;
/** Name of the remote route that a destination is of; `undefined`: it is none. */
export const remoteRouteOf = (destination: string): string | undefined =>
  destination.startsWith(REMOTE) ? destination.slice(REMOTE.length) : undefined;
