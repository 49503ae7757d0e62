import { Controller, Inject, Injectable } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import type { TransportContext } from '@nestjs-orchestrator/nest/microservices';
import { from, Observable, of, throwError } from 'rxjs';

/** What the handlers did, and what holds them. */
@Injectable()
export class Diary {
  readonly events: unknown[] = [];
  readonly stopped: string[] = [];
  /** Streams that somebody listens, or listened, to. */
  readonly begun: string[] = [];
  private readonly waiting = new Map<string, () => void>();
  private readonly gates = new Map<string, Promise<void>>();

  /** Handlers that come to `gate` wait until the returned function is called. */
  hold(gate: string): () => void {
    let open = (): void => undefined;
    this.gates.set(
      gate,
      new Promise((resolve) => {
        open = resolve;
      }),
    );
    return open;
  }

  passes(gate: string): Promise<void> {
    this.waiting.get(gate)?.();
    return this.gates.get(gate) ?? Promise.resolve();
  }

  /** Settles when a handler comes to the gate next. */
  comes(gate: string): Promise<void> {
    return new Promise((resolve) => this.waiting.set(gate, resolve));
  }

  /** So many events from now on fail. */
  failures = 0;

  note(event: unknown): void {
    if (this.failures > 0) {
      this.failures -= 1;
      throw new RpcException('not this time');
    }
    this.events.push(event);
    this.waiting.get(`event ${this.events.length}`)?.();
  }

  /** Settles when so many events were noted. */
  has(count: number): Promise<void> {
    return this.events.length >= count ? Promise.resolve() : this.comes(`event ${count}`);
  }

  stop(name: string): void {
    this.stopped.push(name);
    this.waiting.get(`stop ${name}`)?.();
  }
}

/** An ordinary controller of a microservice: nothing in it knows the transport. */
@Controller()
export class ShopController {
  constructor(@Inject(Diary) private readonly diary: Diary) {}

  @MessagePattern('sum')
  sum(@Payload() numbers: readonly number[]): number {
    return numbers.reduce((sum, number) => sum + number, 0);
  }

  @MessagePattern({ cmd: 'later', version: 2 })
  async later(@Payload() { gate }: { gate: string }): Promise<string> {
    await this.diary.passes(gate);
    return `after ${gate}`;
  }

  @MessagePattern('count')
  count(@Payload() upTo: number): Observable<number> {
    return from(Array.from({ length: upTo }, (_, at) => at + 1));
  }

  @MessagePattern('half')
  half(): Observable<number> {
    return new Observable((observer) => {
      observer.next(1);
      observer.error(new RpcException({ code: 'HALF', message: 'no more' }));
    });
  }

  @MessagePattern('forever')
  forever(@Payload() name: string): Observable<string> {
    return new Observable((observer) => {
      this.diary.begun.push(name);
      observer.next(name);
      return () => this.diary.stop(name);
    });
  }

  @MessagePattern('forever later')
  async foreverLater(@Payload() name: string): Promise<Observable<string>> {
    await this.diary.passes(name);
    return this.forever(name);
  }

  @MessagePattern('refuse')
  refuse(): Observable<never> {
    return throwError(() => new RpcException({ code: 'REFUSED', message: 'not today' }));
  }

  @MessagePattern('break')
  break(): never {
    throw new Error('a secret of the server');
  }

  @MessagePattern('echo')
  echo(@Payload() data: unknown): unknown {
    return of(data);
  }

  @MessagePattern('nothing')
  nothing(): void {}

  @MessagePattern('large')
  large(@Payload() bytes: number): string {
    return 'x'.repeat(bytes);
  }

  @MessagePattern('parts')
  parts(@Payload() sizes: readonly number[]): Observable<string> {
    return from(sizes.map((size) => 'x'.repeat(size)));
  }

  @MessagePattern('heavy')
  heavy(@Payload() bytes: number): Observable<string> {
    return new Observable((observer) => {
      observer.next('x'.repeat(bytes));
      return () => this.diary.stop('heavy');
    });
  }

  @MessagePattern('whence')
  whence(@Payload() _: unknown, @Ctx() context: TransportContext): object {
    return {
      pattern: context.getPattern(),
      sender: context.getSender()?.name,
      metadata: context.getMetadata(),
    };
  }

  @EventPattern('placed')
  async placed(@Payload() data: { gate?: string }): Promise<void> {
    if (data.gate !== undefined) await this.diary.passes(data.gate);
    this.diary.note(data);
  }

  @EventPattern('broken')
  async broken(@Payload() reason: string): Promise<void> {
    throw new RpcException(reason);
  }
}
