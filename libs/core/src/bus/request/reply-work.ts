import { toJson } from '../../message/json.js';
import { checkMessage } from '../../message/message.js';
import type { Envelope } from '../../message/envelope.js';
import type { JsonText, WorkRecord } from '../../ports/records.js';

/** What the asker of a request is told; kept in the inbox row of the request as well. */
export type Reply =
  | { readonly kind: 'reply'; readonly name: string; readonly body: unknown }
  | { readonly kind: 'none'; readonly outcome: string }
  | { readonly kind: 'failed'; readonly reason: string };

/** Where replies to the requests of one node go. */
export const replyDestination = (node: string): string => `reply:${node}`;

/** That a request was handled, and how, without a reply. */
export function noReply(outcome: string): JsonText {
  return toJson({ kind: 'none', outcome } satisfies Reply, 'reply');
}

/** That a request was given up. */
export function failedReply(reason: string): JsonText {
  return toJson({ kind: 'failed', reason: reason.slice(0, 2_000) } satisfies Reply, 'reply');
}

/** Clocks of nodes may differ by this much, in milliseconds: a reply is given up only when its asker waits no more by any of them. */
export const CLOCKS_DIFFER_MS = 7_200_000;

/** Makes the rows that bring replies to the nodes that asked. */
export class ReplyAddressing {
  constructor(
    private readonly node: string,
    private readonly now: () => number,
    private readonly maxPayload: number,
  ) {}

  /** A reply as JSON, after its schema has agreed; `null` for none. */
  async text(message: object | null): Promise<JsonText | null> {
    if (message === null) return null;
    const type = await checkMessage(message);
    const reply: Reply = { kind: 'reply', name: type.messageName, body: { ...message } };
    return toJson(reply, `reply '${type.messageName}'`, this.maxPayload);
  }

  /** None for what nobody asked, or whose asker surely waits no more: its row might never be claimed. */
  row(request: Envelope, reply: JsonText): readonly WorkRecord[] {
    const { replyTo, replyBy } = request;
    if (replyTo === undefined || (replyBy !== undefined && this.now() > replyBy + CLOCKS_DIFFER_MS))
      return [];
    // Not born leased to this node, which could not deliver it.
    const delayMs = replyTo === replyDestination(this.node) ? 0 : 1;
    return [
      {
        tenant: request.tenant,
        destination: replyTo,
        id: request.id,
        lane: null,
        payload: reply,
        delayMs,
      },
    ];
  }
}
