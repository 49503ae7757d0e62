import type { Command } from 'commander';
import type { ExitCode, Surroundings } from '../surroundings.js';

/** Adds one command to the program; `ended` is told how it ended when it was run. */
export type AddCommand = (program: Command, around: Surroundings, ended: (code: ExitCode) => void) => void;
