import type { OrderView } from '../../../apps/sample/src/orders/order.schemas.js';
import { freePort } from '../../support/redis-server.js';
import { Program, type Ending } from './program.js';

/** The sample as a process that is killed and started again, on a port that stays the same. */
export class MortalSample {
  private program: Program;
  private up: Promise<unknown>;
  kills = 0;

  private constructor(
    private readonly main: string,
    private readonly environment: Readonly<Record<string, string>>,
    readonly url: string,
    private readonly flags: readonly string[] = [],
  ) {
    [this.program, this.up] = this.launch();
  }

  static async start(
    main: string,
    environment: Readonly<Record<string, string>>,
    flags: readonly string[] = [],
  ): Promise<MortalSample> {
    const port = await freePort();
    const surroundings = { ...environment, PORT: String(port) };
    const sample = new MortalSample(main, surroundings, `http://localhost:${port}`, flags);
    await sample.up;
    return sample;
  }

  /** Kills it without a warning after so many lines of its log and so many milliseconds, and starts it again. */
  async killAfter(lines: number, delayMs: number): Promise<void> {
    await this.program.count(this.program.lines.length + lines);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    await this.killNow();
  }

  /** Starts it anew, to die of itself at the `nth` coming to a fault point; settles when it has, with how it ended. */
  async dieAt(point: string, nth: number): Promise<Ending> {
    await this.program.signal('SIGKILL');
    [this.program, this.up] = this.launch({ DIE_AT: point, DIE_AT_COMING: String(nth) });
    this.up.catch(() => undefined);
    const ending = await this.program.ended;
    this.kills++;
    return ending;
  }

  /** Starts it anew, to live. */
  async revive(): Promise<void> {
    await this.program.signal('SIGKILL');
    [this.program, this.up] = this.launch();
    await this.up;
  }

  /** The newest line that holds the text, or the next one. */
  async newest(text: string): Promise<string> {
    return this.program.lines.findLast((line) => line.includes(text)) ?? this.program.line(text);
  }

  /** Settles when it writes the next line that holds the text. */
  line(text: string): Promise<string> {
    return this.program.line(text, this.program.lines.length);
  }

  /** Settles when it has written that many further lines that hold the text. */
  async some(text: string, times: number): Promise<void> {
    const { program } = this;
    const from = program.lines.length;
    const count = (): number => program.lines.slice(from).filter((line) => line.includes(text)).length;
    while (count() < times) await program.next();
  }

  /** Kills it without a warning, and starts it again. */
  async killNow(): Promise<void> {
    await this.program.signal('SIGKILL');
    this.kills++;
    [this.program, this.up] = this.launch();
    await this.up;
  }

  /** Looks now, and again whenever the process writes a line that holds the text, until `look` says yes. */
  async until(look: () => Promise<boolean>, bell: string): Promise<void> {
    for (;;) {
      const { length } = this.program.lines;
      if (await look()) return;
      await this.program.line(bell, length);
    }
  }

  /** Sends a request until it is answered, however often the process dies meanwhile. */
  async request<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<T> {
    for (;;) {
      const { up } = this;
      try {
        await up;
        const response = await fetch(`${this.url}${path}`, {
          method,
          headers: { 'Content-Type': 'application/json', ...headers },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        const answer = await response.text();
        if (response.ok) return JSON.parse(answer) as T;
        if (response.status < 500) throw new RefusedError(`${method} ${path}: ${response.status} ${answer}`);
      } catch (error) {
        if (error instanceof RefusedError) throw error;
      }
      // It was killed: its successor is on its way. If it wasn't, its next line is as good a moment as any.
      if (up === this.up) await this.program.next();
    }
  }

  order(orderId: string): Promise<OrderView> {
    return this.request('GET', `/orders/${orderId}`);
  }

  stop(): Promise<{ readonly code: number | null }> {
    return this.program.signal('SIGTERM');
  }

  private launch(doom: Readonly<Record<string, string>> = {}): [Program, Promise<unknown>] {
    const program = new Program(this.main, { ...this.environment, ...doom }, this.flags);
    return [program, program.line('"Listening"')];
  }
}

class RefusedError extends Error {}
