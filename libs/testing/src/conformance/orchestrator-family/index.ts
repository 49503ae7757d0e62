import type { ConformanceCase } from '../instance-store/index.js';
import type { FamilyAbilities, FamilyHarness } from './harness.js';
import { processes } from './processes.js';
import { type Draft, playOut } from './scene.js';
import { talking } from './talking.js';

export type { FamilyAbilities, FamilyHarness, FamilyOptions, OpenedFamily } from './harness.js';

/**
 * What `createOrchestrator` must hold with every type of transport, one case per sentence; each process is an orchestrator in this one. It
 * knows no test framework:
 *
 * ```ts
 * it.each(orchestratorFamilyConformance({ open }, { kill: true }))('$name', ({ run }) => run());
 * ```
 */
export function orchestratorFamilyConformance(
  harness: FamilyHarness,
  { processes: several = true, kill = false, joined = false }: FamilyAbilities = {},
): readonly ConformanceCase[] {
  const able = (needs: Draft['needs']): boolean =>
    needs === undefined || (several && (needs === 'processes' || kill));
  return [...talking, ...processes]
    .filter(({ needs, inOneCluster = false }) => able(needs) && !(joined && inOneCluster))
    .map((draft) => ({ name: draft.name, run: () => playOut(harness, draft) }));
}
