import type { ConformanceCase } from '../instance-store/index.js';
import { AwayProcesses } from './away.js';
import type { FamilyAbilities, FamilyHarness } from './harness.js';
import { losing } from './losing.js';
import { processes } from './processes.js';
import { type Draft, playOut } from './scene.js';
import { talking } from './talking.js';

export type {
  FamilyAbilities,
  FamilyHarness,
  FamilyLine,
  FamilyOptions,
  FamilyProcess,
  OpenedFamily,
} from './harness.js';
export { serveFamily, type FamilyService } from './serve.js';

/**
 * What `createOrchestrator` must hold with every type of transport, one case per sentence. It knows no test framework:
 *
 * ```ts
 * it.each(orchestratorFamilyConformance({ open, start }))('$name', ({ run }) => run());
 * ```
 *
 * With `start` one orchestrator is in this process, and the others are in real ones, which call {@link serveFamily} and are killed where a case is about death;
 * without it all are in this process. Cases run one after the other.
 */
export function orchestratorFamilyConformance(
  harness: FamilyHarness,
  { processes: several = true, kill = harness.start !== undefined, joined = false }: FamilyAbilities = {},
): readonly ConformanceCase[] {
  const others = harness.start === undefined ? undefined : new AwayProcesses(harness);
  const able = (needs: Draft['needs']): boolean =>
    needs === undefined || (several && (needs === 'processes' || kill));
  return [...talking, ...processes, ...losing]
    .filter(({ needs, inOneCluster = false }) => able(needs) && !(joined && inOneCluster))
    .map((draft) => ({ name: draft.name, run: () => playOut(harness, others, draft) }));
}
