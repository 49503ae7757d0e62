import { test } from 'node:test';
import { doorSuite, wrongSuite } from './door.suite.js';

doorSuite(test);
if (process.env['WRONG'] === 'yes') wrongSuite(test);
