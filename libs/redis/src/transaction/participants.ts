import {
  systemClock,
  type Clock,
  type Finish,
  type FinishResult,
  type WorkKey,
  type WriteOptions,
} from '@nestjs-orchestrator/core/ports';
import type { Connection } from '../connection/connection.js';
import { Parameters, type Call } from '../connection/script.js';
import { ROOM, workName } from '../naming/room.js';
import type { Rooms } from '../naming/rooms.js';
import type { Hints } from '../notify/hints.js';
import { mustBeOf, pushRemovals, pushWork } from '../outbox/work-parameters.js';
import { finishScript } from './transaction.lua.js';
import { waitForDecision, type Attempt } from './waiting.js';

type Reply = readonly [verdict: 0 | 1 | 2, leased: number, claimable: 0 | 1];

/** Consumers of messages that need no transaction. */
export class Participants {
  constructor(
    private readonly connection: Connection,
    private readonly rooms: Rooms,
    private readonly hints: Hints,
    private readonly clock: Pick<Clock, 'schedule'> = systemClock,
  ) {}

  /** Finishes messages, each alone. All are sent together; only those that meet a transaction wait. */
  async finish(items: readonly Finish[], options: WriteOptions): Promise<readonly (FinishResult | Error)[]> {
    const calls = items.map((item) => this.callOf(item, options));
    await this.rooms.register(items.map(({ message }) => message.tenant));
    const sent = calls.filter((call): call is Call => !(call instanceof Error));
    const answers = (await this.connection.runAll(sent)).values();
    return Promise.all(
      items.map(async (item, n) => {
        const call = calls[n];
        if (call === undefined || call instanceof Error) return call ?? new Error('no call');
        const answer: unknown = answers.next().value;
        return answer instanceof Error ? answer : this.outcome(item, call, answer as Reply);
      }),
    );
  }

  /** The outcome with which each message was consumed; `null`: it was not. */
  async consumed(messages: readonly WorkKey[]): Promise<readonly (string | null)[]> {
    return Promise.all(
      messages.map(async (message) => {
        const key = this.rooms.of(message.tenant).consumedBy;
        const mark = await this.connection.command((client) => client.hget(key, workName(message)));
        // Behind the token of who consumed it.
        return mark === null ? null : mark.slice(mark.indexOf(' ') + 1);
      }),
    );
  }

  private callOf({ message, outcome, work }: Finish, { now, owner, leaseMs }: WriteOptions): Call | Error {
    try {
      mustBeOf(message.tenant, work);
      const room = this.rooms.of(message.tenant);
      const fixed = room.fixed.slice(0, ROOM.consumedAt);
      const parameters = new Parameters(...fixed).push(now ?? '', owner, leaseMs, workName(message));
      parameters.pushKey(room.deciding(message)).push(outcome);
      pushRemovals(parameters, room, [message]);
      pushWork(parameters, room, work);
      return { script: finishScript, keys: parameters.keys, args: parameters.args };
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  private async outcome({ message }: Finish, call: Call, first: Reply): Promise<FinishResult | Error> {
    let reply: Reply | null = first;
    const ask = async (): Promise<Attempt<Reply>> => {
      const answer = reply ?? ((await this.connection.run(call)) as Reply);
      reply = null;
      return answer[0] === 2 ? { leftMs: answer[1] } : { value: answer };
    };
    try {
      // Asked again at once if it met a transaction: that may have ended before one began to listen.
      if (first[0] === 2) reply = null;
      const [verdict, leased, claimable] = await waitForDecision(this.hints, this.clock, message, ask);
      if (claimable === 1) this.hints.tell();
      return verdict === 0 ? { outcome: 'repeated' } : { outcome: 'finished', leased: leased === 1 };
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}
