import type { MessageType } from '@nestjs-orchestrator/core';
import type { AnySaga, SagaBehaviour } from '@nestjs-orchestrator/core/saga';
import { onTestFinished } from 'vitest';
import { openPlainCluster, type PlainCluster } from '../messaging/support.js';
import { openRig, type Rig } from '../saga/rig.js';
import { openCluster, type Cluster, type Node, type StoreKind } from '../saga/support.js';

/** Something that a saga engine is easily caught by: shows, on a store of some kind, that ours is not. */
export type Trap = (kind: StoreKind) => Promise<void>;

/** Orders on two nodes; `timeout` is how long they wait for their payment. */
export async function twoNodes(
  kind: StoreKind,
  timeout: '10m' | '1h' = '1h',
): Promise<Cluster & { readonly first: Node; readonly second: Node }> {
  const cluster = await orders(kind, timeout);
  return { ...cluster, first: await cluster.node('first'), second: await cluster.node('second') };
}

/** Orders, without a node yet. */
export async function orders(kind: StoreKind, timeout: '10m' | '1h' = '1h'): Promise<Cluster> {
  const cluster = await openCluster(kind, timeout);
  onTestFinished(() => cluster.close());
  return cluster;
}

/** Nodes that register what the trap wants. */
export async function cluster(kind: StoreKind): Promise<PlainCluster> {
  const opened = await openPlainCluster(kind);
  onTestFinished(() => opened.close());
  return opened;
}

/** One node with a saga of the trap's own. */
export async function rig(
  kind: StoreKind,
  behaviour: SagaBehaviour,
  commands: readonly MessageType[] = [],
): Promise<Rig<AnySaga>> {
  const opened = await openRig<AnySaga>(kind, behaviour, { commands });
  onTestFinished(() => opened.close());
  return opened;
}
