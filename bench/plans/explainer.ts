import { Client, type QueryResult } from 'pg';

/** A statement as the store gives it to the driver. */
interface Named {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
}

/** How one statement was executed. */
export interface Execution {
  readonly of: string;
  /** Which of the statements of that operation. */
  readonly operation: string;
  /** Rows that its scans have looked at, those that a filter let go among them. */
  readonly read: number;
  /** Pages of 8 kB, in memory or not. */
  readonly pages: number;
  readonly ms: number;
  /** Indexes that it goes by. */
  readonly nodes: readonly string[];
  /** Tables that a plan for any values would read as a whole: the server plans it for its values each time then. */
  readonly whole: readonly string[];
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly 'Shared Hit Blocks'?: number;
  readonly 'Shared Read Blocks'?: number;
  readonly Plans?: readonly PlanNode[];
}

interface Explained {
  readonly Plan: PlanNode;
  readonly 'Execution Time'?: number;
}

const PREFIX = /^orchestrator_(.+)_[0-9a-f]{12}$/;
/** Statements of one operation differ by their digest. */
const nameOf = (operation: string, nth: number): string => (nth === 1 ? operation : `${operation} (${nth})`);
type Query = (this: Client, query: unknown, ...rest: unknown[]) => unknown;

/** Looks at each statement of the store when it runs for the first time, on a connection beside it, and undoes what that has done. */
export class Explainer {
  private readonly executions: Execution[] = [];
  private readonly seen = new Set<string>();
  private readonly client: Client;
  private readonly original = Client.prototype.query as unknown as Query;

  private constructor(url: string) {
    this.client = new Client({ connectionString: url, statement_timeout: 60_000 });
  }

  static async watching(url: string): Promise<Explainer> {
    const explainer = new Explainer(url);
    await explainer.client.connect();
    const { original } = explainer;
    (Client.prototype as { query: unknown }).query = function query(
      this: Client,
      asked: unknown,
      ...rest: unknown[]
    ): unknown {
      const run = (): unknown => original.call(this, asked, ...rest);
      const { name = '' } = (asked ?? {}) as Partial<Named>;
      const operation = PREFIX.exec(name)?.[1];
      if (operation === undefined || explainer.seen.has(name)) return run();
      explainer.seen.add(name);
      return explainer.look(operation, asked as Named).then(run);
    };
    return explainer;
  }

  /** What was seen, by name. */
  async ended(): Promise<readonly Execution[]> {
    (Client.prototype as { query: unknown }).query = this.original;
    await this.client.end();
    return this.executions.toSorted((one, other) => one.operation.localeCompare(other.operation));
  }

  private async look(operation: string, { text, values }: Named): Promise<void> {
    await this.ask({ text: 'BEGIN' });
    const actual = await this.explained(
      `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ${text}`,
      values,
    );
    await this.ask({ text: 'ROLLBACK' });
    const general = await this.explained(`EXPLAIN (GENERIC_PLAN, FORMAT JSON) ${text}`);
    const nodes = flat(actual.Plan);
    const whole = flat(general.Plan).flatMap((node) =>
      node['Node Type'] === 'Seq Scan' && BIG.has(node['Relation Name'] ?? '')
        ? [node['Relation Name'] as string]
        : [],
    );
    const nth = 1 + this.executions.filter((each) => each.of === operation).length;
    this.executions.push({
      of: operation,
      operation: nameOf(operation, nth),
      read: sum(nodes, (node) => (isScan(node) ? readBy(node) : 0)),
      pages: (actual.Plan['Shared Hit Blocks'] ?? 0) + (actual.Plan['Shared Read Blocks'] ?? 0),
      ms: actual['Execution Time'] ?? 0,
      nodes: [...new Set(nodes.flatMap((node) => node['Index Name'] ?? []))],
      whole: [...new Set(whole)],
    });
  }

  private async explained(text: string, values?: unknown[]): Promise<Explained> {
    const { rows } = await this.ask({ text, ...(values === undefined ? {} : { values }) });
    const [plan] = (rows[0] as { 'QUERY PLAN': readonly Explained[] })['QUERY PLAN'];
    if (plan === undefined) throw new Error(`No plan of ${text.slice(0, 80)}.`);
    return plan;
  }

  private ask(query: object): Promise<QueryResult> {
    return this.original.call(this.client, query) as Promise<QueryResult>;
  }
}

/** Tables that grow with what a store is given. */
const BIG: ReadonlySet<string> = new Set([
  ...['instance', 'instance_state', 'instance_key', 'instance_group', 'inbox', 'history', 'outbox', 'timer'],
  ...['delivery', 'consumed', 'dead_letter', 'tombstone', 'archive'],
]);

function flat(node: PlanNode): readonly PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(flat)];
}

function isScan(node: PlanNode): boolean {
  return node['Relation Name'] !== undefined && node['Node Type'].endsWith('Scan');
}

function readBy(node: PlanNode): number {
  const loops = node['Actual Loops'] ?? 0;
  const each =
    (node['Actual Rows'] ?? 0) +
    (node['Rows Removed by Filter'] ?? 0) +
    (node['Rows Removed by Index Recheck'] ?? 0);
  return Math.round(loops * each);
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
