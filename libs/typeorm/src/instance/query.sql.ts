import { INSTANCE_COLUMNS, INSTANT, OPEN_DELIVERIES } from '../database/fragments.js';

const ALL = `orchestrator.instance t
  WHERE (t.saga || '/' || t.tenant) = ($3::text || '/' || $2::text)`;

/** Those that have claimed a key ($11, $12) as one of many. */
const GROUP = `orchestrator.instance_group g
  JOIN orchestrator.instance t ON t.id = g.instance_id AND t.saga = g.saga AND t.tenant = g.tenant
  WHERE g.value = $12::text AND g.name = $11::text AND g.saga = $3 AND g.tenant = $2`;

/** Instances by creation, a page from behind ($7, $8) on. */
function querySql(beyond: '<' | '>', direction: 'ASC' | 'DESC', alive: string, source = ALL): string {
  return `
WITH ${INSTANT}
SELECT ${INSTANCE_COLUMNS}, waiting.count AS "openDeliveries", t.seq::text AS seq
FROM (
  SELECT t.* FROM ${source} AND t.tenant = $2 AND t.saga = $3
    AND ($4::text[] IS NULL OR t.state = ANY ($4)) AND ($5::text[] IS NULL OR t.status = ANY ($5))
    AND ($6::float8 IS NULL OR (t.ended_at IS NULL AND t.updated_at <= (SELECT ms FROM instant) - $6))${alive}
    AND ($10::bool IS NULL OR (t.ended_at IS NOT NULL) = $10)
    AND ($7::bigint IS NULL OR (t.created_at, t.seq) ${beyond} ($7, $8::bigint))
  ORDER BY t.created_at ${direction}, t.seq ${direction} LIMIT $9::int
) t
CROSS JOIN LATERAL (SELECT count(DISTINCT d.message_id)::int AS count FROM (${OPEN_DELIVERIES}) d) waiting
ORDER BY t.created_at ${direction}, t.seq ${direction}`;
}

/** Lets the planner use the index of living instances. */
const ALIVE = ' AND t.ended_at IS NULL';

/** One statement per order and index, since a prepared one has one plan. */
export const querySqls = {
  newest: {
    all: querySql('<', 'DESC', ''),
    idle: querySql('<', 'DESC', ALIVE),
    group: querySql('<', 'DESC', '', GROUP),
  },
  oldest: {
    all: querySql('>', 'ASC', ''),
    idle: querySql('>', 'ASC', ALIVE),
    group: querySql('>', 'ASC', '', GROUP),
  },
} as const;
