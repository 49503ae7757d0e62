import { commitSql } from './commit.sql.js';

/** What not every commit needs: a part of `commitSql` between marks of its name. */
type Part = 'starts' | 'before' | 'answers' | 'timers' | 'groups' | 'loaded' | 'deliveries' | 'work';

/** A statement that commits what needs no more than some parts. */
export interface CommitShape {
  readonly sql: string;
  /** The parameters of `commitSql` that it has, in its order; numbers from 1. */
  readonly uses: readonly number[];
  /** Whether it does all that these parameters of `commitSql` ask for. */
  readonly fits: (values: readonly unknown[]) => boolean;
}

/** Parameters of which each element asks for the part. */
const ASKED_BY: Readonly<Record<Part, readonly number[]>> = {
  starts: [20],
  before: [64],
  answers: [68],
  timers: [23, 25],
  groups: [57],
  loaded: [30],
  deliveries: [38, 40],
  work: [48],
};

/** Parameters of which one value asks for the part. */
const ASKED_IF: readonly { readonly part: Part; readonly parameter: number; readonly value: unknown }[] = [
  // An instance that there is not yet.
  { part: 'starts', parameter: 8, value: 0 },
  // Messages that a load has told of: the inbox may have them, and their lines are lines of history.
  { part: 'loaded', parameter: 60, value: false },
];

const PARTS = Object.keys(ASKED_BY) as readonly Part[];

/**
 * The statements that commits are made with, the smallest first. Whatever a statement may do it is planned for, and has to be set up for at each execution, which
 * costs as much as a dozen commits: what an instance that is there comes to goes without the rest.
 */
export const commitShapes: readonly CommitShape[] = [
  shape([]),
  shape(['answers', 'timers', 'work']),
  shape(PARTS),
];

function shape(parts: readonly Part[]): CommitShape {
  const left = PARTS.filter((part) => !parts.includes(part));
  const text = PARTS.reduce((sql, part) => withOrWithout(sql, part, parts.includes(part)), commitSql);
  const numbers = [...text.matchAll(/\$(\d+)/g)].map((match) => Number(match[1]));
  const uses = [...new Set(numbers)].toSorted((a, b) => a - b);
  return {
    sql: text.replace(/\$(\d+)/g, (_, number: string) => `$${uses.indexOf(Number(number)) + 1}`),
    uses,
    fits: (values) => !left.some((part) => asksFor(values, part)),
  };
}

/** The statement without the marks of a part, and without what is between them, if it is not wanted. */
function withOrWithout(sql: string, part: Part, wanted: boolean): string {
  const between = new RegExp(`/\\*${part}\\*/([^]*?)/\\*end ${part}\\*/`, 'g');
  return sql.replace(between, (_, text: string) => (wanted ? text : ''));
}

function asksFor(values: readonly unknown[], part: Part): boolean {
  const column = (parameter: number): readonly unknown[] => values[parameter - 1] as readonly unknown[];
  return (
    ASKED_BY[part].some((parameter) => column(parameter).length > 0) ||
    ASKED_IF.some((one) => one.part === part && column(one.parameter).includes(one.value))
  );
}
