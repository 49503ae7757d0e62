import { OrchestratorError } from '@nestjs-orchestrator/core';

/** An option of a transport has a value that can't work. */
export class TransportOptionError extends OrchestratorError {
  readonly code = 'TRANSPORT_OPTION';
  constructor(
    readonly option: string,
    readonly value: unknown,
    rule: string,
  ) {
    super(`Option '${option}' can't be ${String(value)}: ${rule}.`);
  }
}

/** @throws TransportOptionError unless the option is a whole number of the range. */
export function checkWhole<O extends string>(
  settings: Readonly<Record<O, number>>,
  option: O,
  least: number,
  most: number,
): void {
  const value = settings[option];
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new TransportOptionError(option, value, `use a whole number from ${least} to ${most}`);
}

/** @throws TransportOptionError unless it is a path. */
export function checkFolder(directory: unknown): void {
  if (typeof directory === 'string' && directory !== '') return;
  const value = directory === '' ? "''" : directory;
  throw new TransportOptionError('directory', value, 'use the path of a folder, or leave it out');
}
