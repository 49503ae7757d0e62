import { StandardSchemaValidationPipe } from '@nestjs/common';
import { invalid, type FieldFault } from './problem.js';

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  /** Of zod's complaint about fields that it does not know. */
  readonly keys?: readonly string[];
}

/** Checks what has a schema (`@Body({ schema })`); a refusal names the fields. */
export const validationPipe = new StandardSchemaValidationPipe({
  exceptionFactory: (issues: readonly Issue[]) => invalid(issues.flatMap(faultsOf)),
});

function faultsOf(issue: Issue): FieldFault[] {
  const path = (issue.path ?? []).map((segment) => (typeof segment === 'object' ? segment.key : segment));
  if (issue.keys !== undefined) {
    return issue.keys.map((key) => ({ field: fieldName([...path, key]), message: 'is not known' }));
  }
  return [{ field: fieldName(path), message: issue.message }];
}

/** `items[0].sku`; `body` for the whole. */
export function fieldName(path: readonly PropertyKey[]): string {
  const text = path
    .map((segment) => (typeof segment === 'number' ? `[${segment}]` : `.${String(segment)}`))
    .join('');
  return text === '' ? 'body' : text.replace(/^\./, '');
}
