import { LONGEST_HEAD } from '../wire/batch.js';
import { ACCEPTED, DONE } from '../wire/format.js';
import type { NumberWriter } from '../../../framing/numbers.js';

/** What a receiver has to say about the envelopes of one sender: how far it has accepted them, and which are done. */
export class Finished {
  accepted = 0;
  private told = 0;
  /** Pairs: the first number of a run, and how many it has. */
  private runs: number[] = [];
  private end = 0;

  get isEmpty(): boolean {
    return this.told === this.accepted && this.runs.length === 0;
  }

  /** Runs that are to be told. */
  get size(): number {
    return this.runs.length >> 1;
  }

  done(number: number): void {
    const { runs } = this;
    if (runs.length > 0 && number === this.end) runs[runs.length - 1] = (runs.at(-1) as number) + 1;
    else runs.push(number, 1);
    this.end = number + 1;
  }

  /** Writes what goes into so many bytes. Acceptance first: nothing is done before it was accepted. */
  writeTo(heads: NumberWriter, bytes: number): void {
    const end = heads.length + bytes - LONGEST_HEAD;
    if (this.accepted !== this.told) {
      heads.byte(ACCEPTED);
      heads.number(this.accepted);
      this.told = this.accepted;
    }
    const { runs } = this;
    let at = 0;
    for (; at < runs.length && heads.length < end; at += 2) {
      heads.byte(DONE);
      heads.number(runs[at] as number);
      heads.number(runs[at + 1] as number);
    }
    this.runs = at < runs.length ? runs.slice(at) : [];
  }
}
