import { toJson } from '../../message/json.js';
import { issuePath, type Schema } from '../../message/standard-schema.js';
import { OrchestratorError } from '../../errors/orchestrator-error.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import type { RecordedUndo } from '../../handling/recording.js';

/** A handler left data, or recorded a compensation's input, that does not fit its schema. */
export class SagaDataError extends OrchestratorError {
  readonly code = 'SAGA_DATA';
}

/** The saga's data as JSON, after its schema has agreed. */
export async function checkData(saga: CompiledSaga, data: unknown, limit: number): Promise<string> {
  const what = `data of saga '${saga.definition.name}'`;
  await checkValue(saga.definition.dataSchema, data, what);
  return toJson(data, what, limit);
}

/** Undo steps whose inputs their schemas agree with, copied. */
export async function checkUndo(
  saga: CompiledSaga,
  steps: readonly RecordedUndo[],
  limit: number,
): Promise<readonly RecordedUndo[]> {
  const checked: RecordedUndo[] = [];
  for (const { name, input, scope } of steps) {
    const what = `input of compensation '${name}'`;
    const schema = saga.definition.compensations.get(name);
    if (schema !== undefined) await checkValue(schema, input, what);
    const copy = JSON.parse(toJson(input, what, limit)) as unknown;
    checked.push(scope === undefined ? { name, input: copy } : { name, input: copy, scope });
  }
  return checked;
}

/** @throws SagaDataError if the schema does not agree */
export async function checkValue(schema: Schema<unknown>, value: unknown, what: string): Promise<void> {
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return;
  const list = result.issues.map((issue) => `${issuePath(issue)}: ${issue.message}`).join('; ');
  throw new SagaDataError(`The ${what} does not fit its schema: ${list}.`);
}
