import { INSTANCE_COLUMNS, INSTANT, OPEN_DELIVERIES } from '../database/fragments.js';

const ALL = `orchestrator.instance t
  WHERE (t.saga || '/' || t.tenant) = ($3::text || '/' || $2::text)`;

/** Those that have claimed a key ($11, $12) as one of many. */
const GROUP = `orchestrator.instance_group g
  JOIN orchestrator.instance t ON t.id = g.instance_id AND t.saga = g.saga AND t.tenant = g.tenant
  WHERE g.value = $12::text AND g.name = $11::text AND g.saga = $3 AND g.tenant = $2`;

/** Instances by creation, a page from behind ($7, $8) on. */
function querySql(beyond: '<' | '>', direction: 'ASC' | 'DESC', alive: string, source = ALL): string {
  return listing(
    direction,
    `
  SELECT t.* FROM ${source} AND t.tenant = $2 AND t.saga = $3
    AND ($4::text[] IS NULL OR t.state = ANY ($4)) AND ${OTHERWISE}${alive}
    AND (t.created_at, t.seq) ${beyond} ($7::bigint, $8::bigint)
  ORDER BY t.created_at ${direction}, t.seq ${direction} LIMIT $9::int`,
  );
}

/** Those in some states: the first of each state, of which the page is the first ones. */
function stateSql(beyond: '<' | '>', direction: 'ASC' | 'DESC'): string {
  return listing(
    direction,
    `
  SELECT t.* FROM (SELECT DISTINCT state FROM unnest($4::text[]) AS s (state)) s
  CROSS JOIN LATERAL (
    SELECT t.* FROM orchestrator.instance_state p
    CROSS JOIN LATERAL (
      SELECT * FROM orchestrator.instance t WHERE t.id = p.instance_id AND t.saga = p.saga AND t.tenant = p.tenant OFFSET 0
    ) t
    WHERE p.state = s.state AND p.saga = $3 AND p.tenant = $2
      AND (p.created_at, p.seq) ${beyond} ($7::bigint, $8::bigint) AND ${OTHERWISE}
    ORDER BY p.created_at ${direction}, p.seq ${direction} LIMIT $9::int
  ) t
  ORDER BY t.created_at ${direction}, t.seq ${direction} LIMIT $9::int`,
  );
}

/** Rows of "page" with what waits for each. */
function listing(direction: 'ASC' | 'DESC', page: string): string {
  return `
WITH ${INSTANT}
SELECT ${INSTANCE_COLUMNS}, waiting.count AS "openDeliveries", t.seq::text AS seq
FROM (${page}
) t
CROSS JOIN LATERAL (SELECT count(DISTINCT d.message_id)::int AS count FROM (${OPEN_DELIVERIES}) d) waiting
ORDER BY t.created_at ${direction}, t.seq ${direction}`;
}

/** What no index tells of "t". */
const OTHERWISE = `($5::text[] IS NULL OR t.status = ANY ($5))
    AND ($6::float8 IS NULL OR (t.ended_at IS NULL AND t.updated_at <= (SELECT ms FROM instant) - $6))
    AND ($10::bool IS NULL OR (t.ended_at IS NOT NULL) = $10)`;

/** Lets the planner use the index of living instances. What is younger than it shall have rested need not be looked at. */
const ALIVE = ` AND t.ended_at IS NULL AND t.created_at <= greatest(-9e15, (SELECT ms FROM instant) - $6::float8)::bigint`;

/** One statement per order and index, since a prepared one has one plan. */
export const querySqls = {
  newest: {
    all: querySql('<', 'DESC', ''),
    idle: querySql('<', 'DESC', ALIVE),
    group: querySql('<', 'DESC', '', GROUP),
    state: stateSql('<', 'DESC'),
  },
  oldest: {
    all: querySql('>', 'ASC', ''),
    idle: querySql('>', 'ASC', ALIVE),
    group: querySql('>', 'ASC', '', GROUP),
    state: stateSql('>', 'ASC'),
  },
} as const;
