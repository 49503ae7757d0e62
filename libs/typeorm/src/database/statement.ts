import { createHash } from 'node:crypto';
import { DEFAULT_SCHEMA } from '../options.js';
import { withBinaryArrays, type ElementType } from './binary-arrays.js';
import type { NamedQuery } from './client.js';

/** A prepared statement: its name belongs to its text. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  /** For each parameter that is an array, the type of its elements. */
  readonly arrays: readonly (ElementType | undefined)[];
}

const known = new Map<string, Statement>();

/**
 * A statement that is prepared once per connection. `sql` speaks of the default schema, with its name in front of each table, and is
 * bound to `schema`. The name carries a digest of the text, so that two versions of this package can share a connection.
 */
export function statement(operation: string, sql: string, schema: string): Statement {
  const key = `${schema}\n${operation}\n${sql}`;
  let found = known.get(key);
  if (found === undefined) {
    const text = ofUnknownLength(inSchema(sql, schema));
    const digest = createHash('sha256').update(text).digest('hex').slice(0, 12);
    found = { name: `orchestrator_${operation}_${digest}`, text, arrays: arrayTypes(text) };
    known.set(key, found);
  }
  return found;
}

/** The statement with its values, as the driver takes it. */
export function bound({ name, text, arrays }: Statement, values: readonly unknown[]): NamedQuery {
  return { name, text, values: withBinaryArrays(arrays, values) };
}

/**
 * Keeps the length of arrays from the planner. Where it knows that one is short, it takes a plan made for these very values for so much cheaper
 * than one for all values that it never stops planning anew, which takes longer than the statement itself. What hides it must not be folded
 * into a constant, and cost nothing.
 */
function ofUnknownLength(sql: string): string {
  return sql.replace(/\bunnest\([^()]*\)/g, (call) =>
    call.replace(/\$\d+::\w+\[\]/g, (array) => `CASE WHEN random() IS NOT NULL THEN ${array} END`),
  );
}

/** The array types that the statement casts its parameters to. */
function arrayTypes(text: string): readonly (ElementType | undefined)[] {
  const types: (ElementType | undefined)[] = [];
  for (const [, number, type] of text.matchAll(/\$(\d+)::(text|int|float8|bool)\[\]/g))
    types[Number(number) - 1] = type as ElementType;
  return types;
}

/** SQL that speaks of another schema than the default one. */
export function inSchema(sql: string, schema: string): string {
  if (schema === DEFAULT_SCHEMA) return sql;
  const quoted = `"${schema.replaceAll('"', '""')}".`;
  return sql.replaceAll(`${DEFAULT_SCHEMA}.`, () => quoted);
}

/** One parameter per field, each with the values of all rows: what `unnest` takes. */
export function columns<Row>(
  rows: readonly Row[],
  ...fields: readonly ((row: Row) => unknown)[]
): unknown[][] {
  return fields.map((field) => rows.map(field));
}
