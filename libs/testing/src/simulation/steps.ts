import type { Random } from '@nestjs-orchestrator/core/ports';

/** Something that may happen next. */
export interface Step {
  readonly node: number;
  readonly label: string;
  readonly run: () => void;
}

/** What may happen next, in the order in which it came up; somebody picks. */
export class Steps {
  private readonly waiting: Step[] = [];

  add(step: Step): void {
    this.waiting.push(step);
  }

  /** Forgets what a node was about to do. */
  drop(node: number): void {
    for (let place = this.waiting.length - 1; place >= 0; place -= 1)
      if (this.waiting[place]?.node === node) this.waiting.splice(place, 1);
  }

  /** Takes one of those whose nodes may act: any of them, or with `null` the one that waits longest. */
  take(mayAct: (node: number) => boolean, random: Random | null): Step | undefined {
    const candidates = this.waiting.filter(({ node }) => mayAct(node));
    const step = candidates[random === null ? 0 : Math.floor(random.next() * candidates.length)];
    if (step !== undefined) this.waiting.splice(this.waiting.indexOf(step), 1);
    return step;
  }
}
