import type { Clock } from '../ports/clock.js';

/**
 * Whole microseconds since it was made, which never go back. A clock that jumps back stands still for that reading and goes on from
 * there: nothing is credited twice, and nobody waits for the lost time to come again.
 */
export class SteadyTime {
  private origin: number;
  private latest = 0;

  constructor(private readonly clock: Clock) {
    const start = clock.monotonic();
    this.origin = Number.isFinite(start) ? start : 0;
  }

  read(): number {
    const micros = Math.floor((this.clock.monotonic() - this.origin) * 1_000);
    if (micros >= this.latest) return (this.latest = micros);
    return this.wentBack(micros);
  }

  private wentBack(micros: number): number {
    if (Number.isFinite(micros)) this.origin -= (this.latest - micros) / 1_000;
    return this.latest;
  }
}
