import { StoreUnavailableError } from '@nestjs-orchestrator/core';
import { describe, expect, it } from 'vitest';
import { isUnavailable, mapped } from './unavailable.js';

function coded(code: string, message = ''): Error {
  return Object.assign(new Error(message), { code });
}

describe('isUnavailable', () => {
  it.each(['ECONNREFUSED', 'ECONNRESET', '08006', '57P01', '57P03', '53300', '57014', '25006'])(
    '%s says nothing about the statement',
    (code) => {
      expect(isUnavailable(coded(code))).toBe(true);
    },
  );

  it.each(['23505', '40P01', '22021', '42P01', '57P04'])('%s is about the statement', (code) => {
    expect(isUnavailable(coded(code))).toBe(false);
  });

  it('knows what the drivers say in words, and errors of several addresses', () => {
    expect(isUnavailable(new Error('Connection terminated unexpectedly'))).toBe(true);
    expect(isUnavailable(new AggregateError([coded('ECONNREFUSED')]))).toBe(true);
    expect(isUnavailable('Connection terminated')).toBe(false);
    expect(isUnavailable(new Error('order not found'))).toBe(false);
  });
});

describe('mapped', () => {
  it('keeps the cause, and names the code where there are no words', () => {
    const cause = coded('ECONNREFUSED');
    expect(mapped(cause)).toBeInstanceOf(StoreUnavailableError);
    expect(mapped(cause)).toMatchObject({
      cause,
      retryable: true,
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('leaves all other errors as they are', () => {
    const other = new Error('order not found');
    expect(mapped(other)).toBe(other);
  });
});
