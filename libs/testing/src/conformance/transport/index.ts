import type { ConformanceCase } from '../instance-store/index.js';
import { backPressure } from './back-pressure.js';
import { frames } from './frames.js';
import type { TransportHarness } from './harness.js';
import { names, registries } from './names.js';
import { peers } from './peers.js';
import { type Draft, playOut } from './scene.js';

export type { OpenedTransport, SmallRegistries, TransportHarness } from './harness.js';

/** What a transport can be made to do decides which cases there are. */
export interface TransportAbilities {
  /** `OpenedTransport.kill` is there. Default: false. */
  readonly kill?: boolean;
  /** `OpenedTransport.stall` and `resume` are there. Default: false. */
  readonly stall?: boolean;
}

/**
 * What every `Transport` must hold, one case per sentence, with several endpoints in one process. It knows no test framework:
 *
 * ```ts
 * it.each(transportConformance({ open }, { kill: true }))('$name', ({ run }) => run());
 * ```
 */
export function transportConformance(
  harness: TransportHarness,
  abilities: TransportAbilities = {},
): readonly ConformanceCase[] {
  const { limitedRegistries = true } = harness;
  const drafts: readonly Draft[] = [
    ...frames,
    ...backPressure,
    ...peers,
    ...names,
    ...(limitedRegistries ? registries : []),
  ];
  return drafts
    .filter(({ needs }) => needs === undefined || abilities[needs] === true)
    .map((draft) => ({ name: draft.name, run: () => playOut(harness, draft) }));
}
