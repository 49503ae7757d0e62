import type { Endpoint, TransportSeat } from '@nestjs-orchestrator/core/ports';
import { SERVER_NAME } from './transport-options.js';

/** Who serves a service at present, as a client knows it. */
export class Servers {
  private readonly known = new Map<string, Endpoint>();
  private turn = 0;
  /** Settles when the last of those who wait for a look into the directory has its answer. */
  private line: Promise<void> | undefined = undefined;
  private asked = 0;
  /** Whoever asked up to that number was there before a look began that found nobody. */
  private answered = 0;

  add(endpoint: Endpoint): void {
    this.known.set(endpoint.incarnation, endpoint);
  }

  remove({ incarnation }: Endpoint): void {
    this.known.delete(incarnation);
  }

  names(): readonly string[] {
    return [...this.known.values()].map(({ name }) => name);
  }

  clear(): void {
    this.known.clear();
  }

  /** One after the other; looks into the directory where nobody is known. Who asks first goes on first, whoever comes meanwhile. */
  find(seat: TransportSeat): Promise<Endpoint | undefined> {
    const number = (this.asked += 1);
    if (this.line === undefined && this.known.size > 0) return Promise.resolve(this.next());
    const found = (this.line ?? Promise.resolve()).then(() => this.nextOrLook(seat, number));
    const leave = (): void => {
      if (this.line === line) this.line = undefined;
    };
    const line = found.then(leave, leave);
    this.line = line;
    return found;
  }

  private async nextOrLook(seat: TransportSeat, number: number): Promise<Endpoint | undefined> {
    if (this.known.size === 0 && number > this.answered) {
      const { asked } = this;
      await this.look(seat);
      this.answered = asked;
    }
    return this.next();
  }

  /** Looks into the directory. */
  async look(seat: TransportSeat): Promise<void> {
    const names = await seat.names();
    // A seat may hear of an endpoint first by its name.
    const up = new Set(seat.peers().map(({ endpoint }) => endpoint.incarnation));
    for (const { name, endpoint } of names)
      if (name.startsWith(SERVER_NAME) && up.has(endpoint.incarnation)) this.add(endpoint);
  }

  /** One after the other. */
  next(): Endpoint | undefined {
    if (this.known.size === 0) return undefined;
    this.turn = (this.turn + 1) % this.known.size;
    let at = 0;
    for (const endpoint of this.known.values()) {
      if (at === this.turn) return endpoint;
      at += 1;
    }
    return undefined;
  }
}
