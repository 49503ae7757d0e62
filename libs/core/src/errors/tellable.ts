/**
 * What user code threw, if it can be told: as a line of the log, in a history, in a dead letter. What has no text, or throws when it is read, is
 * replaced by an error that says so, since whatever tells of it would throw as well, with nobody to catch that.
 */
export function tellable(thrown: unknown): unknown {
  try {
    if (hasText(thrown)) return thrown;
  } catch {
    // Reading it throws: that is what is told.
  }
  return new Error(
    'Something was thrown that has no text which could be read. Throw an Error with a message.',
  );
}

/** Throws what {@link tellable} makes of it. */
export function throwTellable(thrown: unknown): never {
  throw tellable(thrown);
}

function hasText(thrown: unknown): boolean {
  if (typeof String(thrown) !== 'string') return false;
  if (!(thrown instanceof Error)) return true;
  const { name, message, stack } = thrown as { readonly [K in 'name' | 'message' | 'stack']: unknown };
  return (
    typeof name === 'string' &&
    typeof message === 'string' &&
    (stack === undefined || typeof stack === 'string')
  );
}
