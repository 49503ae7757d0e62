import 'reflect-metadata';
import { start } from '../../../apps/sample/src/startup/start.js';
import { mortalFaults } from './mortal-faults.js';

// The sample, but it dies at the fault point that the environment names.
await start({ faults: mortalFaults(process.env) });
