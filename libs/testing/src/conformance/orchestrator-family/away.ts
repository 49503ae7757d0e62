import type { FamilyHarness, FamilyOptions, FamilyProcess } from './harness.js';
import { type Member, VERBS } from './member.js';
import type { FamilyAnswer, FamilyOrder } from './serve.js';

interface Asked {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A process that the suite has started; its members come and go. */
export class AwayProcess {
  private readonly asked = new Map<number, Asked>();
  private orders = 0;
  private members = 0;

  constructor(private readonly line: FamilyProcess) {
    line.listen((message) => this.answered(message as FamilyAnswer));
  }

  /** One more orchestrator in it. */
  async join(options: FamilyOptions, place: unknown, patienceMs: number): Promise<AwayMember> {
    const member = (this.members += 1);
    await this.order(member, 'join', [options, place, patienceMs]);
    const verbs = VERBS.map((verb) => [
      verb,
      (...words: readonly unknown[]) => this.order(member, verb, words),
    ]);
    return { ...(Object.fromEntries(verbs) as Member), process: this };
  }

  async kill(): Promise<void> {
    await this.line.kill();
    for (const { reject } of this.asked.values()) reject(new Error('The process was killed.'));
    this.asked.clear();
  }

  private order(member: number, verb: FamilyOrder['verb'], words: readonly unknown[]): Promise<unknown> {
    const number = (this.orders += 1);
    const answer = new Promise((resolve, reject) => this.asked.set(number, { resolve, reject }));
    this.line.post({ number, member, verb, words } satisfies FamilyOrder);
    return answer;
  }

  private answered({ number, value, failure }: FamilyAnswer): void {
    const asked = this.asked.get(number);
    this.asked.delete(number);
    if (failure === undefined) asked?.resolve(value);
    else asked?.reject(Object.assign(new Error(failure.message), { name: failure.name, code: failure.code }));
  }
}

/** An orchestrator in another process. */
export interface AwayMember extends Member {
  readonly process: AwayProcess;
}

/** The processes of a suite: those that no case uses now wait for the next one. */
export class AwayProcesses {
  private readonly idle: AwayProcess[] = [];

  constructor(private readonly harness: FamilyHarness) {}

  async take(): Promise<AwayProcess> {
    const idle = this.idle.pop();
    if (idle !== undefined) return idle;
    const started = await this.harness.start?.();
    if (started === undefined) throw new Error('The harness has started no process.');
    return new AwayProcess(started);
  }

  giveBack(process: AwayProcess): void {
    this.idle.push(process);
  }
}
