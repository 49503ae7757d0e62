import { tellable } from './tellable.js';

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

/** An error as text, its stack trimmed. Never throws, whatever was thrown. */
export function errorText(thrown: unknown): ErrorText {
  const error = tellable(thrown);
  if (!(error instanceof Error)) return { name: 'Error', message: String(error).slice(0, LONGEST_MESSAGE) };
  const code = codeOf(error);
  return {
    name: error.name,
    message: error.message.slice(0, LONGEST_MESSAGE),
    ...(typeof code === 'string' ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: error.stack.slice(0, LONGEST_STACK) }),
  };
}

function codeOf(error: object): unknown {
  try {
    return (error as { readonly code?: unknown }).code;
  } catch {
    return undefined;
  }
}
