import type { InstanceStore } from '@nestjs-orchestrator/core/ports';

/** Two connections to the same, freshly emptied data. */
export interface Scene {
  readonly store: InstanceStore;
  /** The harness's second connection, or `store` once more. */
  readonly second: InstanceStore;
  /** How often a race is run. */
  readonly rounds: number;
}

/** One case, before it knows its store. */
export interface Draft {
  /** A sentence that holds for every store. */
  readonly name: string;
  readonly play: (scene: Scene) => Promise<void>;
}

/** Cases about one noun. */
export function about(noun: string, cases: Readonly<Record<string, Draft['play']>>): readonly Draft[] {
  return Object.entries(cases).map(([sentence, play]) => ({ name: `${noun}: ${sentence}`, play }));
}
