/** Settled, or still open: written out, since each index is for one or the other. */
const STANDING = { open: 'settled_at IS NULL', settled: 'settled_at IS NOT NULL' } as const;

/** By what letters are asked for: the columns before their number, and the values of those. */
const ASKED = {
  all: [],
  tenant: [['tenant', '$3']],
  destination: [['destination', '$3']],
  both: [
    ['tenant', '$3'],
    ['destination', '$4'],
  ],
} as const satisfies Record<string, readonly (readonly [column: string, value: string])[]>;

/**
 * Before letter $1, which is the end of the world for the first page: the same condition for each, so that the index can always jump to its begin.
 *
 * The columns are compared as one value. Where they were said to be equal, the planner would know that numbers alone order them, and that it meets
 * such letters soon if it goes through all: it would pass over any number of others.
 */
function listing(standing: keyof typeof STANDING, asked: keyof typeof ASKED): string {
  const columns = [...ASKED[asked].map(([column]) => column), 'seq'];
  const values = ASKED[asked].map(([, value]) => `${value}::text, `).join('');
  return `
SELECT tenant, destination, id, seq::text AS letter, payload, reason, detail, attempts, at::float8 AS at,
  verdict AS verb, settled_by AS by, settled_reason AS because, settled_at::float8 AS "settledAt"
FROM orchestrator.dead_letter
WHERE ${STANDING[standing]}
  AND (${columns.join(', ')}) < (${values}$1::bigint) AND (${columns.join(', ')}) > (${values}0)
ORDER BY ${columns.map((column) => `${column} DESC`).join(', ')} LIMIT $2::bigint`;
}

function listings(standing: keyof typeof STANDING): Readonly<Record<keyof typeof ASKED, string>> {
  return {
    all: listing(standing, 'all'),
    tenant: listing(standing, 'tenant'),
    destination: listing(standing, 'destination'),
    both: listing(standing, 'both'),
  };
}

/** What was given up, newest first: one statement per index, since a prepared one has one plan. */
export const deadLettersSqls = { open: listings('open'), settled: listings('settled') } as const;
