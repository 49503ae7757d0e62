import type {
  ProbeAnswer,
  ProbeRound,
  SharedCircuit,
  SharedCircuitChange,
  SharedCircuitStore,
} from '@nestjs-orchestrator/core/resilience';
import { CircuitMessages } from './circuit-messages.js';
import { ADMIT_PROBE, CHANGE_CIRCUIT, READ_CIRCUIT, SETTLE_PROBE } from './circuit.script.js';
import { redisResilienceSettings, type RedisResilienceOptions } from './resilience-options.js';
import { Script, type RedisClient } from './script.js';

const read = new Script(READ_CIRCUIT);
const change = new Script(CHANGE_CIRCUIT);
const probe = new Script(ADMIT_PROBE);
const settle = new Script(SETTLE_PROBE);

const MICROSECONDS = 1_000;

type View = readonly [epoch: number, kind: SharedCircuit['kind'], restMicros: number, openings: number];

/**
 * States of breakers in Redis: one hash for each, changed by scripts only, and a channel of the same name. Listening takes one more connection, which ends with the
 * last breaker that is closed. A state is forgotten a week after its last change, unless it is isolated.
 */
export class RedisCircuitStore implements SharedCircuitStore {
  private readonly prefix: string;
  private readonly messages: CircuitMessages;

  /** @throws ResilienceOptionError naming the option, its rule and the value */
  constructor(
    private readonly redis: RedisClient,
    options: Pick<RedisResilienceOptions, 'prefix'> = {},
  ) {
    this.prefix = redisResilienceSettings(options).prefix;
    this.messages = new CircuitMessages(redis);
  }

  async read(name: string, now: number | null): Promise<SharedCircuit> {
    return viewed((await this.run(read, name, now)) as View);
  }

  async change(
    name: string,
    epoch: number | null,
    to: SharedCircuitChange,
    now: number | null,
  ): Promise<SharedCircuit> {
    const [breakMs, openings] = to.kind === 'open' ? [to.breakMs, to.openings] : [0, 0];
    const args = [epoch ?? '', to.kind, Math.round(breakMs * MICROSECONDS), openings];
    return viewed((await this.run(change, name, now, ...args)) as View);
  }

  async probe(name: string, { probes, probeTimeout }: ProbeRound, now: number | null): Promise<ProbeAnswer> {
    const lasts = Math.round(probeTimeout * MICROSECONDS);
    const [admitted, ...view] = (await this.run(probe, name, now, probes, lasts)) as [number, ...View];
    return { admitted: admitted === 1, circuit: viewed(view) };
  }

  async settle(
    name: string,
    epoch: number,
    outcome: 'succeeded' | 'cancelled',
    { probes }: ProbeRound,
    now: number | null,
  ): Promise<SharedCircuit> {
    return viewed((await this.run(settle, name, now, epoch, outcome, probes)) as View);
  }

  watch(name: string, listener: (circuit: SharedCircuit) => void): () => void {
    return this.messages.listen(this.keyOf(name), listener);
  }

  private run(
    script: Script,
    name: string,
    now: number | null,
    ...args: readonly (string | number)[]
  ): Promise<unknown> {
    const instant = now === null ? '' : Math.floor(now * MICROSECONDS);
    return script.run(this.redis, [this.keyOf(name)], [instant, ...args]);
  }

  private keyOf(name: string): string {
    return `${this.prefix}:breaker:{${name}}`;
  }
}

function viewed([epoch, kind, restMicros, openings]: View): SharedCircuit {
  return { epoch, kind, restMs: restMicros / MICROSECONDS, openings };
}
