import { parseJson } from '../../message/json.js';
import { SagaMigrationError } from '../saga-errors.js';
import type { Fitted } from '../versions/fit-version.js';
import { checkData } from './check-values.js';
import type { Known, Plan } from './plan.js';
import { restored } from './step.js';

/**
 * As planned, if what a migration gave is an instance of its version: its states are there, its data fits the schema.
 *
 * @param limit of the data, in characters
 */
export async function checkedPlan(plan: Plan, { instance }: Known, limit: number): Promise<Plan> {
  if (plan.kind !== 'run' || plan.migratedFrom === undefined || instance === null) return plan;
  try {
    await checkMigrated(plan, limit);
    return plan;
  } catch (error) {
    const { name, version } = plan.saga.definition;
    const problem = error instanceof Error ? error.message.replace(/\.$/, '') : String(error);
    const failed = new SagaMigrationError(name, plan.migratedFrom, version, problem, error);
    return { kind: 'older', instance, error: failed };
  }
}

async function checkMigrated({ saga, instance }: Fitted, limit: number): Promise<void> {
  restored(saga, instance);
  await checkData(saga, parseJson(instance.data), limit);
}
