import {
  assign,
  defineMachine,
  durableMachines,
  type DurableMachines,
  type DurableRef,
} from '@nestjs-orchestrator/core';
import type { FaultPoints, Logger } from '@nestjs-orchestrator/core/ports';
import { redisStore, redisStreams } from '@nestjs-orchestrator/redis';
import type { Cluster, Redis } from 'ioredis';

interface Ledger {
  readonly count: number;
  /** Per sender the number of its last event. */
  readonly last: Readonly<Record<string, number>>;
  /** Events that did not follow the one before of their sender. */
  readonly disorder: number;
}

interface Add {
  readonly type: 'ADD';
  readonly from: string;
  readonly n: number;
}

/** Counts what it is sent, and notices what is missing, comes twice or too early. */
export const ledger = defineMachine({
  id: 'ledger',
  context: { count: 0, last: {}, disorder: 0 },
  initial: 'open',
  states: {
    open: {
      on: {
        ADD: {
          actions: assign(({ context, event }) => {
            const { count, last, disorder } = context as unknown as Ledger;
            const { from, n } = event as unknown as Add;
            const follows = n === (last[from] ?? 0) + 1;
            return { count: count + 1, last: { ...last, [from]: n }, disorder: disorder + (follows ? 0 : 1) };
          }),
        },
        DIE: { actions: 'die' },
      },
    },
  },
});

/** What a node of these tests is told. */
export interface NodeSettings {
  readonly name: string;
  readonly prefix: string;
  readonly leaseMs?: number;
  readonly maxAttempts?: number;
  readonly faults?: FaultPoints;
  readonly logger?: Logger;
  readonly partitions?: number;
  readonly requestTimeoutMs?: number;
  /** After which the server counts as away. Default: as long as no busy machine takes. */
  readonly timeoutMs?: number;
}

/** A node with ledgers: its machines and its frames are on the same server. */
export async function ledgerNode(redis: Redis | Cluster, settings: NodeSettings): Promise<DurableMachines> {
  const {
    name,
    prefix,
    leaseMs = 1_000,
    maxAttempts = 5,
    partitions = 8,
    requestTimeoutMs = 5_000,
    timeoutMs = 30_000,
  } = settings;
  const { faults, logger } = settings;
  const store = redisStore(redis, { prefix, timeoutMs });
  await store.start();
  const transport = redisStreams(redis, {
    prefix,
    leaseMs,
    maxAttempts,
    partitions,
    retryMs: 20,
    timeoutMs,
  });
  const machines = durableMachines({
    store,
    transport,
    name,
    effectRetryMs: 20,
    requestTimeoutMs,
    ...(faults === undefined ? {} : { faults }),
    ...(logger === undefined ? {} : { logger }),
  });
  machines.register(ledger, { actions: { die: () => undefined } });
  await machines.start();
  return machines;
}

/** Sends numbered events to each machine, in order, without waiting in between; settles when all of them are safe. */
export async function load(
  machines: DurableMachines,
  from: string,
  ids: readonly string[],
  events: number,
  each: (n: number) => Promise<void> = async () => undefined,
): Promise<void> {
  const sent: Promise<void>[] = [];
  for (let n = 1; n <= events; n += 1) {
    for (const id of ids) {
      sent.push(
        machines.ref(ledger, id).send({ type: 'ADD', from, n } as never, { messageId: `${from}/${id}/${n}` }),
      );
    }
    await each(n);
  }
  await Promise.all(sent);
}

/** Asks with one id until there is an answer, as a client does whose owner dies. */
export async function insistently(ref: DurableRef<typeof ledger>, from: string, n: number): Promise<void> {
  for (;;) {
    try {
      await ref.request({ type: 'ADD', from, n } as never, { messageId: `${from}/${ref.id}/${n}` });
      return;
    } catch (error) {
      if ((error as { readonly code?: string }).code !== 'REQUEST_TIMEOUT') throw error;
    }
  }
}

/** What a machine has counted. */
export async function counted(machines: DurableMachines, id: string): Promise<Ledger> {
  return (await machines.ref(ledger, id).snapshot()).context as Ledger;
}
