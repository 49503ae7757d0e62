import { OrchestratorHost, type HostOptions } from '@nestjs-orchestrator/core/internal';
import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import {
  countedIds,
  faultPoints,
  seededRandom,
  VirtualClock,
  type FaultRecorder,
} from '@nestjs-orchestrator/testing';
import { mortal, type StoreKind } from '../saga/support.js';

/** A node of a cluster that registers what the test wants. */
export interface PlainNode {
  readonly host: OrchestratorHost;
  readonly faults: FaultRecorder;
  /** Its way to the store. */
  readonly store: InstanceStore;
  /** From now on it neither writes, nor hears of anything, nor wakes up; its leases run out. */
  kill(): Promise<void>;
}

/** Nodes on one store, with time in the test's hands. */
export interface PlainCluster {
  readonly clock: VirtualClock;
  /** A connection of the test's own. */
  readonly store: InstanceStore;
  node(
    name: string,
    register: (host: OrchestratorHost) => void,
    options?: Partial<HostOptions> & {
      /** Calls of the store that time does not wait for, since they end only as time goes on. */
      readonly untracked?: readonly (keyof InstanceStore)[];
      /** Puts something between the node and its store. */
      readonly wrap?: (store: InstanceStore) => InstanceStore;
    },
  ): Promise<PlainNode>;
  close(): Promise<void>;
}

/** @param startAt first instant, in milliseconds since the epoch; default: that of `VirtualClock` */
export async function openPlainCluster(kind: StoreKind, startAt?: number): Promise<PlainCluster> {
  const clock = new VirtualClock(startAt === undefined ? {} : { startAt });
  const { connect, close } = await kind.open();
  const { store } = await connect();
  await store.start();
  const alive = new Set<OrchestratorHost>();
  return {
    clock,
    store,
    node: async (name, register, { untracked = [], wrap = (of: InstanceStore) => of, ...options } = {}) => {
      const connection = await connect();
      const life = { dead: false };
      const faults = faultPoints();
      const store = mortal(clock.tracked(wrap(connection.store), `${name}.store`, untracked), life);
      const host = new OrchestratorHost({
        store,
        clock: mortal(clock, life),
        faults,
        ids: countedIds(name),
        random: seededRandom(1),
        ...options,
      });
      register(host);
      await host.start();
      alive.add(host);
      const kill = async (): Promise<void> => {
        life.dead = true;
        alive.delete(host);
        await connection.cut();
      };
      return { host, faults, store, kill };
    },
    close: async () => {
      await Promise.all([...alive].map((host) => host.close()));
      await store.close();
      await close();
    },
  };
}
