/** What went wrong, in words. Nest's exception filters give objects, and texts, instead of errors. */
export function reasonOf(error: unknown): string {
  const { message } = (typeof error === 'object' && error !== null ? error : {}) as { message?: unknown };
  return typeof message === 'string' ? message : String(error);
}
