import { timeouts } from './support/timeouts.js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SampleApp } from './support/sample-app.js';

let sample: SampleApp;
beforeAll(async () => {
  sample = await SampleApp.start(timeouts);
});
afterAll(() => sample.stop());

/** The figures of a page in the text format of Prometheus, by name and labels. */
async function figures(): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`${sample.url}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toContain('text/plain');
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line): [string, number] => {
      const [, name = '', value] = /^(.+) (\S+)$/.exec(line.replace(/,?otel_scope_name="[^"]*"/, '')) ?? [];
      return [name, Number(value)];
    }),
  );
}

it('GET /metrics shows figures of sagas, breaker and limiter, which move with an order', async () => {
  const before = await figures();
  const { body } = await sample.place();
  await sample.ended(body.orderId);
  const after = await figures();
  const grown = [...after].filter(([name, value]) => value > (before.get(name) ?? 0)).map(([name]) => name);
  const moved = (...parts: string[]) => grown.some((name) => parts.every((part) => name.includes(part)));
  expect(moved('saga_steps', 'saga="order"', 'outcome="committed"')).toBe(true);
  expect(moved('breaker_calls', 'breaker="payments"', 'outcome="succeeded"')).toBe(true);
  expect(moved('limiter_calls', 'limiter="card-network"', 'outcome="allowed"')).toBe(true);
});
