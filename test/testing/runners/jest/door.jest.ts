import { doorSuite, wrongSuite } from '../door.suite.js';

/** Jest's own global; vitest and node have theirs to import. */
declare const test: (name: string, run: () => Promise<void>) => void;

doorSuite(test);
if (process.env['WRONG'] === 'yes') wrongSuite(test);
