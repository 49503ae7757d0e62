/** One complaint of a schema: what is wrong, and where in the value. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Outcome of {@link Schema}'s validation. */
export type SchemaResult<T> =
  { readonly value: T; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] };

/**
 * Any Standard Schema (https://standardschema.dev): zod, valibot, arktype, … The schema must accept its own output, since bodies
 * are checked where they enter and again where they are sent on.
 */
export interface Schema<T> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>;
    readonly types?: { readonly input: unknown; readonly output: T } | undefined;
  };
}

/** The type that a schema yields. */
export type OutputOf<S> = S extends { readonly '~standard': { readonly types?: infer X } }
  ? NonNullable<X> extends { output: infer O }
    ? O
    : never
  : never;

/** A schema that only the compiler checks. For data that never enters from outside. */
export function type<T>(): Schema<T> {
  return { '~standard': { version: 1, vendor: 'unchecked', validate: (value) => ({ value: value as T }) } };
}

/** `items[2].sku`, from an issue's path. */
export function issuePath(issue: SchemaIssue): string {
  let text = '';
  for (const segment of issue.path ?? []) {
    const key = typeof segment === 'object' ? segment.key : segment;
    text += typeof key === 'number' ? `[${key}]` : `${text === '' ? '' : '.'}${String(key)}`;
  }
  return text;
}
