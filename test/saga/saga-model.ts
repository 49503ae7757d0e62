/** A saga to be made: a row of states with what leads from one to the next, and further transitions. */
export interface Plan {
  /** States `s0` … */
  readonly length: number;
  readonly unanswered: 'defer' | 'ignore';
  /** From this step on nothing is undone. */
  readonly pivot: number | undefined;
  readonly extras: readonly {
    readonly from: number;
    readonly extra: number;
    /** `undefined`: the saga stays. */
    readonly to: string | undefined;
    /** Only for even numbers. */
    readonly even: boolean;
  }[];
}

interface Offer {
  readonly name: string;
  readonly n: number;
}

/** What becomes of one saga instance, in a few lines: no store, no engine, no promises. */
export class Model {
  private state: string | null = null;
  private readonly trace: string[] = [];
  private readonly undone: number[] = [];
  private readonly sent: number[] = [];
  private readonly seen = new Set<string>();
  private log: number[] = [];
  private waiting: Offer[] = [];

  constructor(private readonly plan: Plan) {}

  /** A message comes; one with an id that has come before changes nothing. */
  offer(name: string, n: number, id: string): void {
    if (this.seen.has(id)) return;
    this.seen.add(id);
    const before = this.state;
    if (!this.handle({ name, n })) this.waiting.push({ name, n });
    if (this.state !== before) this.drain();
  }

  outcome() {
    const { state, trace, undone, sent } = this;
    const statuses: Readonly<Record<string, string>> = { good: 'completed', bad: 'compensated' };
    return { state, status: state === null ? null : (statuses[state] ?? 'running'), trace, undone, sent };
  }

  /** What waits is tried in its order, until nothing of it is answered any more. */
  private drain(): void {
    for (let progress = true; progress;) {
      const left = this.waiting.filter((offer) => !this.handle(offer));
      progress = left.length < this.waiting.length;
      this.waiting = left;
    }
  }

  /** Whether it is done with. */
  private handle({ name, n }: Offer): boolean {
    if (this.state === null) {
      if (name === 'm.begin') this.enter('s0');
      return name === 'm.begin';
    }
    if (this.state === 'good' || this.state === 'bad') return true;
    const step = Number(this.state.slice(1));
    if (name === `m.answer${step}`)
      this.move(`answer ${step}`, step + 1 < this.plan.length ? `s${step + 1}` : 'good');
    else if (name === 'm.fail') this.move('fail', 'bad');
    else return this.extra(step, name, n) || this.plan.unanswered === 'ignore';
    return true;
  }

  private extra(step: number, name: string, n: number): boolean {
    const found = this.plan.extras.find(
      ({ from, extra, even }) => from === step && name === `m.extra${extra}` && (!even || n % 2 === 0),
    );
    if (found === undefined) return false;
    this.move(`extra ${found.extra}`, found.to);
    return true;
  }

  private move(label: string, to: string | undefined): void {
    this.trace.push(label);
    // A state that leads to itself is not left.
    if (to !== undefined && to !== this.state) this.enter(to);
  }

  private enter(state: string): void {
    this.state = state;
    if (state === 'bad') this.undone.push(...this.log.toReversed());
    if (!state.startsWith('s')) return;
    const step = Number(state.slice(1));
    const { pivot } = this.plan;
    if (step === pivot) this.log = [];
    if (pivot === undefined || step < pivot) this.log.push(step);
    this.sent.push(step);
  }
}
