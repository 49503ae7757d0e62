import type { Result } from '../measure.js';
import { GRID_MILLISECONDS, RECEIVERS, ROUNDS, SIZES } from './choice.js';
import { median, type Contest } from './contest.js';
import { acknowledged, nameOf, RIVAL } from './field.js';
import { besideRival, lessThanRival } from './lines.js';
import { during, progress } from './opened.js';
import type { Addresses, WireName } from './wire.js';

/** In each round, of each size. */
const TAKES = 5;
const TRIPS = 200;

/** What was measured of one size, over all rounds. */
class Cell {
  readonly perSecond: number[] = [];
  /** Medians of round trips. */
  readonly trips: number[] = [];
}

type Row = ReadonlyMap<number, Cell>;

/**
 * Every size to every number of receivers. The wires take turns: a round of each, with processes of its own, then the next round, so that what else the
 * machine does, and where its scheduler has put somebody, hits none of them alone.
 */
export async function* grid(field: readonly WireName[], addresses: Addresses): AsyncGenerator<Result> {
  for (const receivers of RECEIVERS) {
    const rows = new Map<WireName, Row>(
      field.map((wire) => [wire, new Map(SIZES.map((bytes) => [bytes, new Cell()]))]),
    );
    for (let round = 1; round <= ROUNDS; round += 1)
      for (const [wire, row] of rows) {
        progress(`${receivers} receivers, round ${round} of ${ROUNDS}: ${nameOf(wire)}`);
        try {
          await during(wire, receivers, addresses, (contest) => fill(row, contest));
        } catch (error) {
          rows.delete(wire);
          progress(`left out from here on: ${nameOf(wire)}: ${String(error)}`);
        }
      }
    const [rival] = [...rows].filter(([wire]) => nameOf(wire) === RIVAL).map(([, row]) => row);
    for (const [wire, row] of rows) yield* lines(wire, receivers, row, rival);
  }
}

async function fill(row: Row, contest: Contest): Promise<void> {
  for (const [bytes, cell] of row) {
    const takes = await contest.takes(TAKES, GRID_MILLISECONDS, bytes);
    const { p50 } = await contest.trips(TRIPS, bytes);
    cell.perSecond.push(...takes);
    cell.trips.push(p50);
    progress(`  ${bytes} B: ${takes.map(Math.round).join(', ')} events/s, round trip ${Math.round(p50)} µs`);
  }
}

function* lines(wire: WireName, receivers: number, row: Row, rival: Row | undefined): Generator<Result> {
  const name = `${nameOf(wire)} (${acknowledged(wire)})`;
  const to = receivers === 1 ? '' : ` to ${receivers} receivers`;
  for (const [bytes, { perSecond, trips }] of row) {
    const theirs = rival?.get(bytes);
    const [events, rivals] = [median(perSecond), theirs && median(theirs.perSecond)];
    yield besideRival(`${name}: events of ${bytes} B${to}`, events, rivals, 'events/s');
    const theirTrips = theirs && median(theirs.trips);
    yield lessThanRival(`${name}: round trip of ${bytes} B${to}, p50`, median(trips), theirTrips, 'µs');
  }
}
