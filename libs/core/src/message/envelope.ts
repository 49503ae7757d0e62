/** What travels: a message with its addressing. The shape is fixed; `body` is plain JSON. */
export interface Envelope {
  /** Comes from the source; the same message offered twice carries the same id. */
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly tenant: string;
  /** Shared by everything that one outside request has set in motion. */
  readonly correlationId: string;
  /** Id of the message that caused this one; `null` for one from outside. */
  readonly causationId: string | null;
  /** Milliseconds since the epoch, by the sender's clock. */
  readonly sentAt: number;
  /** Where the reply to a request goes. */
  readonly replyTo?: string;
  /** When its asker stops waiting, in milliseconds since the epoch by the asker's clock. */
  readonly replyBy?: number;
  /** W3C Trace Context. */
  readonly traceparent?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}
