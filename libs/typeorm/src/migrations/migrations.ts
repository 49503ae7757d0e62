import { tables } from './0001-tables.js';
import { instanceGroups } from './0002-instance-groups.js';
import { operations } from './0003-operations.js';
import { sagaNames } from './0004-saga-names.js';
import { instanceStates } from './0005-instance-states.js';
import { linesOfMessages } from './0006-lines-of-messages.js';
import { listsOfDeadLetters } from './0007-lists-of-dead-letters.js';

/** One step of the schema; never changed once released. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** All steps, oldest first. */
export const migrations: readonly Migration[] = [
  { version: 1, name: 'tables', sql: tables },
  { version: 2, name: 'instance groups', sql: instanceGroups },
  { version: 3, name: 'operations', sql: operations },
  { version: 4, name: 'saga names', sql: sagaNames },
  { version: 5, name: 'instance states', sql: instanceStates },
  { version: 6, name: 'lines of messages', sql: linesOfMessages },
  { version: 7, name: 'lists of dead letters', sql: listsOfDeadLetters },
];

/** Version of the schema that this build works with. */
export const KNOWN_VERSION = migrations.at(-1)?.version ?? 0;
