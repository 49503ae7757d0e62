import { expect, it } from 'vitest';
import { FlagError, readFlags } from './flags.js';

it('puts a flag into the environment, over what is there', () => {
  const environment = { PAYMENTS: 'in-process', PORT: '1' };
  readFlags(['--payments=rabbitmq'], environment);
  expect(environment).toEqual({ PAYMENTS: 'rabbitmq', PORT: '1' });
  readFlags([], environment);
  expect(environment.PAYMENTS).toBe('rabbitmq');
});

it.each([['--payment=x'], ['rabbitmq'], ['--payments']])('refuses %s and says what there is', (flag) => {
  expect(() => readFlags([flag], {})).toThrow(FlagError);
  expect(() => readFlags([flag], {})).toThrow(/--payments=named-pipe\|.*rabbitmq/);
});
