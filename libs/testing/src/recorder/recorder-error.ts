/** What was recorded is not what was expected. Runners show `expected` and `actual` as a difference. */
export class RecorderAssertionError extends Error {
  override readonly name = 'AssertionError';
  readonly code = 'RECORDER_ASSERTION';

  constructor(
    message: string,
    readonly expected: unknown,
    readonly actual: unknown,
  ) {
    super(message);
  }
}
