import { StoreUnavailableError, type MessageBus } from '@nestjs-orchestrator/core';
import { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import type { InstanceStore, Random } from '@nestjs-orchestrator/core/ports';
import { countedIds } from '../clock/counted-ids.js';
import { seededRandom } from '../clock/seeded-random.js';
import type { SimulatedTime } from './simulated-time.js';
import type { Steps } from './steps.js';

/** What a node needs of its run. */
export interface NodeSurroundings {
  readonly steps: Steps;
  readonly time: SimulatedTime;
  readonly random: Random;
  readonly seed: number;
  /** The node's own connection to the store. */
  readonly connect: () => InstanceStore;
  readonly equip: (host: OrchestratorHost) => void;
}

/** Looks that find nothing are no interleaving worth a step: nodes are told what is due, and poll seldom. */
const LEASE_MS = 6_000;
const POLL_MS = 4_000;

/** A node of a run: each call to the store is a step, each answer another. A node that has crashed does nothing any more. */
export class SimulatedNode {
  readonly host: OrchestratorHost;
  private dead = false;
  private losesAnswer = false;
  private pausedUntil = 0;
  private readonly unsubscribe: (() => void)[] = [];
  private readonly whenDead: Promise<never>;
  private die = (_error: Error): void => {};

  constructor(
    readonly number: number,
    incarnation: number,
    private readonly around: NodeSurroundings,
  ) {
    this.whenDead = new Promise((_, reject) => (this.die = reject));
    this.whenDead.catch(() => undefined);
    this.host = new OrchestratorHost({
      store: this.throughSteps(around.connect()),
      clock: around.time.clock((task) => this.later('timer', task)),
      ids: countedIds(`n${number}.${incarnation}`),
      random: seededRandom(around.seed),
      leaseMs: LEASE_MS,
      pollIntervalMs: POLL_MS,
      retryDelayMs: 50,
      handleOnPublish: around.seed % 2 === 1,
    });
    around.equip(this.host);
  }

  get bus(): MessageBus {
    return this.host.bus;
  }

  get alive(): boolean {
    return !this.dead;
  }

  get mayAct(): boolean {
    return !this.dead && this.around.time.passed >= this.pausedUntil;
  }

  /** Ends without a word. */
  crash(): void {
    this.dead = true;
    this.around.steps.drop(this.number);
    for (const stop of this.unsubscribe) stop();
    // A connection that is gone rolls its transaction back.
    this.die(new Error('the node has crashed'));
  }

  pause(ms: number): void {
    this.pausedUntil = this.around.time.passed + ms;
    // So that time goes there, if nothing else happens.
    this.around.time.after(ms, () => undefined);
  }

  loseAnswer(): void {
    this.losesAnswer = true;
  }

  private later(label: string, run: () => void): void {
    if (this.dead) return;
    this.around.steps.add({ node: this.number, label, run: () => (this.dead ? undefined : run()) });
  }

  private throughSteps(store: InstanceStore): InstanceStore {
    return new Proxy(store, {
      get: (of, name) => {
        const value: unknown = Reflect.get(of, name);
        if (typeof value !== 'function') return value;
        const call = (...args: unknown[]): unknown => Reflect.apply(value, of, args);
        if (name === 'within') return call;
        if (name === 'onWork') return (listener: () => void) => this.listen(of, listener);
        if (name === 'transaction')
          return (work: (tx: unknown) => Promise<unknown>, at: unknown) =>
            this.asSteps('transaction', () =>
              call((tx: unknown) => Promise.race([work(tx), this.whenDead]), at),
            );
        return (...args: unknown[]) => this.asSteps(labelOf(String(name), args), () => call(...args));
      },
    });
  }

  private listen(store: InstanceStore, listener: () => void): () => void {
    const stop = store.onWork(() => this.later('hint', listener));
    this.unsubscribe.push(stop);
    return stop;
  }

  /** The call is a step, and its answer another, which may come much later. */
  private asSteps(label: string, call: () => unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.later(label, () => {
        const lost = this.losesAnswer;
        this.losesAnswer = false;
        const answer = (give: () => void): void => {
          if (this.dead) return;
          if (this.around.random.next() < 0.5) give();
          else this.later(`answer to ${label}`, give);
        };
        Promise.resolve(call()).then(
          (result) => answer(() => (lost ? reject(lostAnswer()) : resolve(result))),
          (error: unknown) => answer(() => reject(error)),
        );
      });
    });
  }
}

function lostAnswer(): StoreUnavailableError {
  return new StoreUnavailableError('The connection broke before the answer came.');
}

function labelOf(name: string, [first]: readonly unknown[]): string {
  return Array.isArray(first) ? `${name} of ${first.length}` : name;
}
