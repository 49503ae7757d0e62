import { ConsoleLogger } from '@nestjs/common';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { NestLogger } from './nest-logger.js';

const fields = { saga: 'order', id: '1', tenant: undefined };
const printed: string[] = [];

beforeEach(() => {
  printed.length = 0;
  vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
  vi.spyOn(console, 'error').mockImplementation((line: string) => void printed.push(line));
});
afterEach(() => vi.restoreAllMocks());

const consoleLogger = (options: ConstructorParameters<typeof ConsoleLogger>[1]) =>
  new NestLogger(new ConsoleLogger('Orchestrator', { forceConsole: true, colors: false, ...options }));

it('is one readable line in development', () => {
  consoleLogger({}).info('Saga order created', fields);
  expect(printed).toEqual([
    expect.stringMatching(/ LOG \[Orchestrator\] Saga order created \{ saga: 'order', id: '1' \}$/),
  ]);
});

it.each([
  ['debug', 'debug'],
  ['info', 'log'],
  ['warn', 'warn'],
  ['error', 'error'],
] as const)('is one JSON object with its fields in production: %s', (method, level) => {
  consoleLogger({ json: true, flattenParams: true })[method]('Saga order created', fields);
  expect(printed.map((line) => JSON.parse(line) as unknown)).toEqual([
    {
      level,
      message: 'Saga order created',
      context: 'Orchestrator',
      saga: 'order',
      id: '1',
      pid: process.pid,
      timestamp: expect.any(Number),
    },
  ]);
});

it('passes nothing beside the message where there are no fields', () => {
  const calls: unknown[][] = [];
  const keep = (...call: unknown[]): void => void calls.push(call);
  const logger = { log: keep, warn: keep, error: keep };
  const lines = new NestLogger(logger);
  lines.info('Started');
  lines.warn('Slow', { id: undefined });
  lines.debug('a logger may have no debug');
  expect(calls).toEqual([['Started'], ['Slow']]);
});
