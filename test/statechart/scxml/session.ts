import {
  defineMachine,
  type Effect,
  type EventObject,
  fromScxml,
  initialTransition,
  type Machine,
  type ScxmlInvocation,
  type Snapshot,
  type Step,
  transition,
} from '@nestjs-orchestrator/statechart';
import { ecmascript } from './data-model.js';

interface Job {
  readonly due: number;
  readonly order: number;
  readonly run: () => void;
}

/** Virtual time and the queues of all sessions of one document. */
export class Platform {
  now = 0;
  private order = 0;
  private jobs: Job[] = [];
  readonly sessions = new Map<string, Session>();

  constructor(readonly read: (uri: string) => string) {}

  schedule(delay: number, run: () => void): () => void {
    const job: Job = { due: this.now + delay, order: ++this.order, run };
    this.jobs.push(job);
    return () => {
      this.jobs = this.jobs.filter((other) => other !== job);
    };
  }

  /** Runs all that is due within `time` milliseconds, in order. */
  advance(time: number): void {
    const end = this.now + time;
    for (let rounds = 0; rounds < 10_000; rounds++) {
      const [next] = this.jobs
        .filter((job) => job.due <= end)
        .sort((a, b) => a.due - b.due || a.order - b.order);
      if (next === undefined) break;
      this.jobs = this.jobs.filter((job) => job !== next);
      this.now = next.due;
      next.run();
    }
    this.now = end;
  }
}

/** One running SCXML session: carries out the effects that the engine hands out. */
export class Session {
  private readonly machine: Machine;
  private snapshot: Snapshot;
  private readonly children = new Map<string, { session: Session; autoforward: boolean }>();
  private readonly timers = new Map<string, () => void>();
  private stopped = false;

  constructor(
    private readonly platform: Platform,
    text: string,
    readonly id: string,
    private readonly parent: { session: Session; invokeid: string } | null,
    data: unknown,
  ) {
    this.machine = defineMachine(
      fromScxml(text, {
        dataModel: ecmascript(),
        read: platform.read,
        reaches: (target) => !target.startsWith('#_scxml_') || this.address(target) !== undefined,
      }),
    );
    platform.sessions.set(id, this);
    const step = initialTransition(this.machine, { sessionId: id, data });
    this.snapshot = step.snapshot;
    this.carryOut(step);
  }

  /** The basic configuration: ids of the active leaves. */
  get configuration(): readonly string[] {
    return this.snapshot.configuration.toJSON();
  }

  send(event: EventObject): void {
    if (this.stopped || this.snapshot.status !== 'active') return;
    const before = [...this.children.values()];
    const step = transition(this.machine, this.snapshot, event);
    this.snapshot = step.snapshot;
    for (const { session, autoforward } of before) if (autoforward) session.send(event);
    this.carryOut(step);
  }

  stop(): void {
    this.stopped = true;
    this.platform.sessions.delete(this.id);
    for (const cancel of this.timers.values()) cancel();
    for (const { session } of this.children.values()) session.stop();
  }

  private carryOut({ effects, snapshot }: Step): void {
    const stopped = new Set(effects.flatMap((effect, at) => this.endsLater(effect, effects.slice(at + 1))));
    for (const effect of effects) this.perform(effect, stopped);
    if (snapshot.status !== 'done') return;
    const { parent } = this;
    this.stop();
    if (parent === null) return;
    const { invokeid } = parent;
    const done = { type: `done.invoke.${invokeid}`, data: snapshot.output, invokeid, kind: 'external' };
    this.platform.schedule(0, () => parent.session.send(done));
  }

  /** An activity of a state that was left again in the same step is never started. */
  private endsLater(effect: Effect, later: readonly Effect[]): Effect[] {
    const ends = (other: Effect): boolean =>
      other.type === 'stop' && effect.type === 'invoke' && other.id === effect.id;
    return later.some(ends) ? [effect] : [];
  }

  private perform(effect: Effect, skipped: ReadonlySet<Effect>): void {
    if (skipped.has(effect)) return;
    if (effect.type === 'raise') this.later(effect.delay, effect.id, () => this.send(effect.event));
    if (effect.type === 'send')
      this.later(effect.delay ?? 0, effect.id, () => this.deliver(effect.to, effect.event));
    if (effect.type === 'cancel') this.timers.get(effect.id)?.();
    if (effect.type === 'invoke') this.invoke(effect.input as ScxmlInvocation | undefined, effect.id);
    if (effect.type === 'stop') this.end(effect.id);
  }

  private later(delay: number, id: string | undefined, run: () => void): void {
    const cancel = this.platform.schedule(delay, run);
    if (id !== undefined) this.timers.set(id, cancel);
    else this.timers.set(`${this.timers.size}`, delay === 0 ? (): void => undefined : cancel);
  }

  private deliver(to: string, event: EventObject): void {
    const target = this.address(to);
    if (target === undefined)
      return this.send({ type: 'error.communication', kind: 'platform', sendid: event['sendid'] });
    const invokeid = to === '#_parent' ? this.parent?.invokeid : event['invokeid'];
    target.send({ ...event, invokeid });
  }

  private address(to: string): Session | undefined {
    if (to === '#_parent') return this.parent?.session;
    const child = this.children.get(to.slice(2))?.session;
    return child ?? this.platform.sessions.get(to.replace('#_scxml_', ''));
  }

  private invoke(invocation: ScxmlInvocation | undefined, id: string): void {
    if (invocation === undefined) return;
    if (!/^(scxml|http:\/\/www.w3.org\/TR\/scxml\/?)$/.test(invocation.type)) return this.failToInvoke(id);
    const text = invocation.src === undefined ? invocation.content : this.platform.read(invocation.src);
    const parent = { session: this, invokeid: id };
    const session = new Session(
      this.platform,
      String(text).trim(),
      `${this.id}.${id}`,
      parent,
      invocation.data,
    );
    this.children.set(id, { session, autoforward: invocation.autoforward });
  }

  private failToInvoke(id: string): void {
    this.platform.schedule(0, () => this.send({ type: 'error.execution', kind: 'platform', invokeid: id }));
  }

  private end(id: string): void {
    this.children.get(id)?.session.stop();
    this.children.delete(id);
  }
}
