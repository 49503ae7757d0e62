import type { Duration, MessageType, PublishOptions } from '@nestjs-orchestrator/core';
import { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import {
  silentLogger,
  type DeadLetter,
  type InstanceStore,
  type Logger,
} from '@nestjs-orchestrator/core/ports';
import type { AnySaga, SagaBehaviour, SagaInstance } from '@nestjs-orchestrator/core/saga';
import { countedIds, seededRandom, VirtualClock } from '@nestjs-orchestrator/testing';
import type { StoreKind } from './support.js';

/** One node with sagas of a test's own, on a store of some kind, with time in the test's hands. */
export interface Rig<G extends AnySaga> {
  readonly host: OrchestratorHost;
  readonly clock: VirtualClock;
  /** The node's way to the store. */
  readonly store: InstanceStore;
  /** Bodies of the commands that were handled, in order. */
  readonly handled: { readonly name: string; readonly body: object }[];
  /** Publishes events one after the other, each when the one before has settled. */
  play(...events: readonly (object | readonly [event: object, options: PublishOptions])[]): Promise<void>;
  advance(by: Duration | number): Promise<void>;
  find(key: string, tenant?: string): Promise<SagaInstance<G> | undefined>;
  /** State and status, for short: `paid running`. */
  standing(key: string): Promise<string>;
  /** What happened to an instance: `transition t.paid a → b`. */
  history(key: string): Promise<readonly string[]>;
  deadLetters(): Promise<readonly DeadLetter[]>;
  close(): Promise<void>;
}

const SELDOM_MS = 600_000;

/** Options of {@link openRig}. */
export interface RigOptions {
  /** Commands that somebody handles. */
  readonly commands?: readonly MessageType[];
  readonly logger?: Logger;
  /** How often the node looks for messages past their time. */
  readonly sweepIntervalMs?: number;
  /** Where what the behaviour uses needs the same one. */
  readonly clock?: VirtualClock;
}

export async function openRig<G extends AnySaga>(
  kind: StoreKind,
  behaviour: SagaBehaviour<G>,
  {
    commands = [],
    logger = silentLogger,
    sweepIntervalMs = SELDOM_MS,
    clock = new VirtualClock(),
  }: RigOptions = {},
): Promise<Rig<G>> {
  const opened = await kind.open();
  const { store: connection } = await opened.connect();
  const store = clock.tracked(connection, 'store');
  const random = seededRandom(1);
  // Hints and timers wake this only node; what it does at intervals is for what other nodes leave behind, and each costs a question to a real
  // store for every interval of hours that go by.
  const host = new OrchestratorHost({
    store,
    clock,
    ids: countedIds('rig'),
    random,
    logger,
    pollIntervalMs: SELDOM_MS,
    leaseMs: SELDOM_MS,
    sweepIntervalMs,
  });
  const handled: { name: string; body: object }[] = [];
  host.register(behaviour);
  for (const message of commands) {
    host.registerHandler({
      message,
      name: `test.${message.messageName}`,
      handle: (ctx) => void handled.push({ name: message.messageName, body: { ...(ctx.message as object) } }),
    });
  }
  await host.start();
  const repository = host.repository(behaviour.definition);
  const find = (key: string, tenant?: string) =>
    repository.findByCorrelation(key, tenant === undefined ? {} : { tenant });
  return {
    host,
    clock,
    store,
    handled,
    find,
    play: async (...events) => {
      for (const each of events) {
        const [event, options] = Array.isArray(each) ? (each as [object, PublishOptions]) : [each, {}];
        await host.bus.publish(event, options);
        await clock.settled();
      }
    },
    advance: (by) => clock.advance(by),
    standing: async (key) => {
      const instance = await find(key);
      return instance === undefined ? 'absent' : `${String(instance.state)} ${instance.status}`;
    },
    history: async (key) => {
      const instance = await find(key);
      const lines = await repository.history(instance?.id ?? '');
      return lines.map(({ kind: line, name, from, to }) =>
        from !== to && to !== null ? `${line} ${name} ${from ?? ''} → ${to}` : `${line} ${name}`,
      );
    },
    deadLetters: () => store.deadLetters({}),
    close: async () => {
      await host.close();
      await opened.close();
    },
  };
}
