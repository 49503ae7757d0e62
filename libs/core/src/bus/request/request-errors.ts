import { OrchestratorError } from '../../errors/orchestrator-error.js';

/** No reply came in time. Says nothing about whether the request was or will be handled: it is durable. */
export class ReplyTimeoutError extends OrchestratorError {
  readonly code = 'REPLY_TIMEOUT';
  override readonly retryable = true;
  constructor(
    readonly messageName: string,
    readonly messageId: string,
    readonly timeoutMs: number,
  ) {
    super(
      `No reply to '${messageName}' (${messageId}) came within ${timeoutMs} ms. It may still be handled: ask again with the same id ` +
        `to get the reply of the first handling.`,
    );
  }
}

/** A request was to go to another application, from where no reply finds its way back. Nothing was written. */
export class RemoteRequestError extends OrchestratorError {
  readonly code = 'REMOTE_REQUEST';
  constructor(
    readonly messageName: string,
    /** Name of the way to the other application. */
    readonly route: string,
  ) {
    super(
      `'${messageName}' goes to another application, over '${route}', and replies find their way within one store only. send() it, and let the ` +
        `answer come as a message of its own; or ask the application directly.`,
    );
  }
}

/** The request was handled, and its handler did not reply. */
export class NoReplyError extends OrchestratorError {
  readonly code = 'NO_REPLY';
  constructor(
    readonly messageName: string,
    readonly messageId: string,
    /** What became of it: `handled`, `applied`, `ignored`, `late`, `discarded`, … */
    readonly outcome: string,
  ) {
    super(
      `'${messageName}' (${messageId}) was ${outcome} without a reply. Call ctx.reply(…) in its handler, or send() it instead.`,
    );
  }
}

/** The request was given up: its handler failed for good. It is a dead letter now. */
export class RequestFailedError extends OrchestratorError {
  readonly code = 'REQUEST_FAILED';
  constructor(
    readonly messageName: string,
    readonly messageId: string,
    readonly reason: string,
  ) {
    super(
      `'${messageName}' (${messageId}) failed for good: ${reason}. Look into its dead letter, then replay it.`,
    );
  }
}

/** The reply is none of the messages that the asker expects. */
export class UnexpectedReplyError extends OrchestratorError {
  readonly code = 'UNEXPECTED_REPLY';
  constructor(
    readonly messageName: string,
    readonly replyName: string,
    readonly expected: readonly string[],
  ) {
    super(
      `The reply to '${messageName}' is '${replyName}'; expected was ${expected.join(' or ')}. Add it to the request's 'reply'.`,
    );
  }
}

/** The asker stopped waiting: its signal aborted, or its node is shutting down. The request itself stays. */
export class RequestAbortedError extends OrchestratorError {
  readonly code = 'REQUEST_ABORTED';
  override readonly retryable = true;
  constructor(
    readonly messageName: string,
    readonly messageId: string,
    why: string,
    cause?: unknown,
  ) {
    super(
      `Nobody waits for the reply to '${messageName}' (${messageId}) any more: ${why}. The request stays and is handled.`,
      {
        cause,
      },
    );
  }
}
