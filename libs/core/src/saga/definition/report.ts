/** Takes one fault of a definition: where, and what. */
export type Report = (path: string, message: string) => void;

/** Names that become part of stored rows. */
export const NAME = /^[A-Za-z][\w.-]{0,99}$/;
/** @see NAME */
export const NAME_RULE = `must be 1 to 100 letters, digits, '.', '-' or '_', beginning with a letter`;

/** Names of states: joined by dots where states are nested, so they hold none. */
export const STATE_NAME = /^[A-Za-z][\w-]{0,99}$/;
/** @see STATE_NAME */
export const STATE_NAME_RULE = `must be 1 to 100 letters, digits, '-' or '_', beginning with a letter`;

/** Of what should be a message class. */
export const NO_MESSAGE = `is no class made by message(); where it is undefined, its file and this one import each other: move the messages into a file of their own`;
