/** An error as it is stored. */
export interface ErrorText {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  /** Trimmed. */
  readonly stack?: string;
}

const LONGEST_STACK = 2_000;
const LONGEST_MESSAGE = 4_000;

/** An error as text, its stack trimmed. */
export function errorText(error: unknown): ErrorText {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error).slice(0, LONGEST_MESSAGE) };
  const { code } = error as { readonly code?: unknown };
  return {
    name: error.name,
    message: error.message.slice(0, LONGEST_MESSAGE),
    ...(typeof code === 'string' ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: error.stack.slice(0, LONGEST_STACK) }),
  };
}
