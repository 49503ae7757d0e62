import { EventEmitter } from 'node:events';
import type { DataSource } from 'typeorm';
import { expect, it } from 'vitest';
import { KeptPlans } from './kept-plans.js';
import type { NamedQuery, PgClient } from './client.js';

const QUERY: NamedQuery = { name: 'orchestrator_x', text: 'SELECT 1', values: [] };

class DriverQuery {
  prepare(): void {}
  handleDataRow(): void {}
  handleCommandComplete(): void {}
}

function plansOf(postgres: object | undefined): KeptPlans {
  return new KeptPlans({ driver: { postgres } } as unknown as DataSource);
}

/** A client that writes down what it is asked, and refuses the setting with that code, if there is one. */
function clientThat(code?: string): { readonly client: PgClient; readonly asked: unknown[] } {
  const asked: unknown[] = [];
  const query = async (asks: NamedQuery): Promise<object> => {
    asked.push(asks instanceof DriverQuery ? 'with the setting' : asks.name);
    if (code !== undefined && asks.name.startsWith('orchestrator_keep_plan'))
      throw Object.assign(new Error('refused'), { code });
    return { rows: [], rowCount: 0 };
  };
  return { client: Object.assign(new EventEmitter(), { query }) as unknown as PgClient, asked };
}

it('a server that knows no such setting is asked for it once, and runs the statements as they are', async () => {
  const { client, asked } = clientThat('42704');
  const plans = plansOf({ Query: DriverQuery });
  await plans.run(client, QUERY);
  await plans.run(client, QUERY);
  expect(asked).toEqual([expect.stringMatching(/^orchestrator_keep_plan_/), QUERY.name, QUERY.name]);
});

it('a server that is away is asked again', async () => {
  const { client, asked } = clientThat('57P01');
  const plans = plansOf({ Query: DriverQuery });
  for (let n = 0; n < 2; n += 1)
    await expect(plans.run(client, QUERY)).rejects.toMatchObject({ code: '57P01' });
  expect(asked).toHaveLength(2);
  expect(asked).not.toContain(QUERY.name);
});

it.each([undefined, {}, { Query: class {} }])(
  'a driver of another kind (%o) gets the statement alone',
  async (postgres) => {
    const { client, asked } = clientThat();
    await plansOf(postgres).run(client, QUERY);
    expect(asked).toEqual([QUERY.name]);
  },
);
