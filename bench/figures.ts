import { compare, type Result } from './measure.js';

/** Where less is better: the ratio says how many times less than the peer we take. */
export function less(name: string, ours: number, peer: number, peerName: string, unit: string): Result {
  const line = compare(name, ours, peer, peerName, unit);
  return { ...line, ratio: Number((peer / ours).toPrecision(3)) };
}

/** A figure that stands alone. */
export function figure(name: string, value: number, unit: string): Result {
  const ours = Number(value.toPrecision(3));
  return { name, ours, peer: Number.NaN, peerName: 'none', ratio: Number.NaN, unit };
}
