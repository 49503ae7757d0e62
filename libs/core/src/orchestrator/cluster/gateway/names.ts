import { parseJson } from '../../../message/json.js';
import type { Greeting } from './words.js';

const PREFIX = '/gateway/';
/** No cluster has an empty name. */
const OFFER = '//';

/** What the active gateway of a cluster holds in the directory of the distributed one. */
export function gatewayLock(cluster: string): string {
  return `/${cluster}/`;
}

/** Whose gateway holds that name; undefined: it is another name. */
export function lockedCluster(name: string): string | undefined {
  return /^\/([^/]+)\/$/.exec(name)?.[1];
}

/** What it holds in the directory of its own cluster. */
export function gatewayName(epoch: number): string {
  return `${PREFIX}${epoch}`;
}

/** What each process that may be the gateway of a cluster holds in both directories: others know by it that somebody can take over. */
export function offerName(cluster: string, endpoint: string): string {
  return `${OFFER}${cluster}/${endpoint}`;
}

/** Whether somebody may become the gateway of that cluster. */
export function isOffer(cluster: string, name: string): boolean {
  return name.startsWith(`${OFFER}${cluster}/`);
}

/** 0: it is no such name. */
export function gatewayEpoch(name: string): number {
  const epoch = name.startsWith(PREFIX) ? Number(name.slice(PREFIX.length)) : 0;
  return Number.isSafeInteger(epoch) && epoch > 0 ? epoch : 0;
}

/** Where a machine of a local cluster is published. */
export function publishedName(cluster: string, name: string): string {
  return `${gatewayLock(cluster)}${name}`;
}

/** What is said beside the lock. */
export function aboutAbroad({ epoch, limit }: Greeting): string {
  return JSON.stringify([epoch, limit]);
}

/** What is said beside the local name; as short as a segment of shared memory wants it. */
export function aboutAtHome({ joins, limit }: Greeting): string {
  return JSON.stringify([joins, limit]);
}

export function greetingAbroad(cluster: string, joins: string, about: string): Greeting | undefined {
  const [epoch, limit] = listIn(about);
  return isCount(epoch) && isCount(limit) ? { cluster, joins, epoch, limit } : undefined;
}

export function greetingAtHome(cluster: string, name: string, about: string): Greeting | undefined {
  const [joins, limit] = listIn(about);
  if (typeof joins !== 'string' || !isCount(limit)) return undefined;
  return { cluster, joins, epoch: gatewayEpoch(name), limit };
}

/** What is said beside a published name. */
export function aboutPublished(definition: string, endpoint: string): string {
  return JSON.stringify([definition, endpoint]);
}

export function publishedAbout(about: string): readonly [definition: string, endpoint: string] {
  const [definition, endpoint] = listIn(about);
  return [String(definition ?? ''), String(endpoint ?? '')];
}

function listIn(about: string): readonly unknown[] {
  try {
    const list = parseJson(about);
    return Array.isArray(list) ? (list as unknown[]) : [];
  } catch {
    return [];
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
