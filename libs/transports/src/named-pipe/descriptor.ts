import type { Endpoint } from '@nestjs-orchestrator/core/ports';
import { PROTOCOL } from './cluster-folder.js';

/** What an endpoint tells of itself: in its claim, and in its greeting. */
export interface Descriptor {
  readonly protocol: number;
  readonly name: string;
  readonly incarnation: string;
  readonly pid: number;
  /** Whoever connects must know it: it can be read by this user only. Guards Windows pipes, which others can open. */
  readonly token: string;
  readonly maxFrameBytes: number;
}

/** The first record of a connection. */
export interface Hello {
  readonly from: Descriptor;
  /** Incarnation and token of the endpoint that is meant. */
  readonly to: string;
  readonly token: string;
  readonly confirmEvery: number;
}

/** What `newIncarnation` gives. */
export const INCARNATION = /^[0-9a-f]{20}$/;

/** `undefined` for what no endpoint of this version has written. */
export function asDescriptor(value: unknown): Descriptor | undefined {
  const { protocol, name, incarnation, pid, token, maxFrameBytes } = fields(value);
  if (protocol !== PROTOCOL || !isText(name) || !isText(token)) return undefined;
  if (!isText(incarnation) || !INCARNATION.test(incarnation)) return undefined;
  if (!isCount(pid) || !isCount(maxFrameBytes)) return undefined;
  return { protocol, name, incarnation, pid, token, maxFrameBytes };
}

export function asHello(value: unknown): Hello | undefined {
  const { from, to, token, confirmEvery } = fields(value);
  const sender = asDescriptor(from);
  if (sender === undefined || !isText(to) || !isText(token) || !isCount(confirmEvery)) return undefined;
  return { from: sender, to, token, confirmEvery };
}

/** What stands behind a name. */
export interface NameRecord {
  readonly name: string;
  readonly about: string;
  readonly endpoint: Endpoint;
}

export function asNameRecord(value: unknown): NameRecord | undefined {
  const { name, about, endpoint } = fields(value);
  const holder = fields(endpoint);
  if (!isText(name) || typeof about !== 'string' || !isText(holder.name) || !isText(holder.incarnation))
    return undefined;
  return { name, about, endpoint: { name: holder.name, incarnation: holder.incarnation } };
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
