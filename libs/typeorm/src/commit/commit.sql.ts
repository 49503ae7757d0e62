import { after, asIfOne, INSTANT } from '../database/fragments.js';
import { INSERT_FRESH, IS_WRITTEN, LANE_IS_FREE } from '../outbox/born-leased.sql.js';

/** The instance of entry number `n` (from 1): subscripts of the parameters save a join. */
function refOf(n: string): string {
  return `($5::text[])[${n}], ($6::text[])[${n}], ($7::text[])[${n}]`;
}

/** An instance "t" that nobody but the writer of entry `n` has a lease on. */
function admits(n: string): string {
  return `CASE WHEN ($62::text[])[${n}] IS NULL THEN (t.lease_until > (SELECT ms FROM instant)) IS NOT TRUE
    ELSE (t.lease_token = ($62::text[])[${n}] AND t.lease_until > (SELECT ms FROM instant)) IS TRUE END`;
}

/** Whether entry `n` has won. */
function won(n: string): string {
  return `(${n} IN (SELECT n FROM won)) IS TRUE`;
}

/**
 * Many commits in one statement; each wins or loses alone. Who wins is decided before anything but keys and instances is written, and everything
 * else comes from the winners (`won`):
 *
 * - `present`: a change locks its row at the expected version, in key order; a row that is locked, or leased to another, has lost. A creation must
 *   not be there. An entry that no load has told about its messages must not find one of them in the inbox. The statement's snapshot is good enough for that: the
 *   expected version was committed before the statement began, so all inbox rows up to it are visible, and later ones come with another version.
 *   So those rows are inserted as new ones, and the change finds its row where it was locked (`place`).
 * - `free`: keys must not lead to another instance (but for an ended one that is superseded), and nobody else may be claiming them (advisory locks
 *   that don't wait).
 * - `superseded`: is locked like what is changed, and gets a new version: whoever has read it before its key went must not take it up again.
 * - `claimed`: what the two above know is as old as the statement's snapshot. The upsert decides on the latest version of the key row, which
 *   also tells whether messages were parked there.
 * - `consumed`: the unique index of consumed messages decides, as in `finishSql`; whoever finds one there has lost.
 * - An entry that got some of its keys or messages only, or those but no instance, can't be undone alone: `lose_race()` ends the statement, and its entries
 *   are run again in smaller ones.
 *
 * Four things keep its cost linear, whatever the planner believes of the sizes: `asIfOne` and `OFFSET 0` keep a look-up by key a look-up by key also in tables that
 * were never analysed; `|| ''` keeps it from the index that begins with the instance, which it would skip through from end to end; and `(… IN (SELECT …)) IS TRUE` is looked up in a hash table, where a join would become a nested loop.
 *
 * What stands between marks (`/*starts*\/ … /*end starts*\/`) is for commits of a kind, and left out where a statement has none; see `commitShapes`.
 */
export const commitSql = `
WITH ${INSTANT},
item AS MATERIALIZED (
  SELECT * FROM unnest($4::int[], $5::text[], $6::text[], $7::text[], $8::int[], $9::int[], $10::int[], $11::text[], $12::text[],
    $13::text[], $14::text[], $15::text[], $16::bool[], $17::text[], $18::text[], $19::text[], $60::bool[],
    $73::int[], $74::text[], $75::text[], $76::text[], $77::text[], $78::text[])
  AS i (n, tenant, saga, id, expected, keys, definition_version, state, status, data, machine, undo, ended, message_id, outcome, reply,
    if_unseen, line, line_kind, line_name, line_from, line_to, line_detail)
),
/*before*/
before AS MATERIALIZED (
  SELECT *
  FROM unnest($64::int[], $65::text[], $66::text[], $67::text[], $79::int[], $80::text[], $81::text[], $82::text[], $83::text[], $84::text[])
    AS b (n, message_id, outcome, reply, line, line_kind, line_name, line_from, line_to, line_detail)
),
repeated AS MATERIALIZED (
  SELECT b.n FROM before b
  WHERE EXISTS (
    SELECT FROM orchestrator.inbox s
    WHERE (s.tenant, s.saga, s.instance_id) = (${refOf('b.n')}) AND s.message_id = b.message_id OFFSET 0
  )
),
/*end before*/
present AS MATERIALIZED (
  SELECT i.*, locked.place
  FROM (
    SELECT * FROM item i
    WHERE expected > 0 AND NOT (if_unseen AND (/*before*/n IN (SELECT n FROM repeated) OR /*end before*/EXISTS (
      SELECT FROM orchestrator.inbox s
      WHERE s.tenant = i.tenant AND s.saga = i.saga AND s.instance_id = i.id AND s.message_id = i.message_id OFFSET 0
    )))
    ORDER BY tenant COLLATE "C", saga COLLATE "C", id COLLATE "C"
  ) i
  CROSS JOIN LATERAL (
    SELECT t.ctid AS place FROM orchestrator.instance t
    WHERE t.tenant = i.tenant AND t.saga = i.saga AND t.id = i.id AND t.version = i.expected AND ${admits('i.n')}
    FOR UPDATE SKIP LOCKED
  ) locked
/*starts*/  UNION ALL
  SELECT i.*, NULL::tid FROM item i
  WHERE i.expected = 0 AND NOT EXISTS (
    SELECT FROM orchestrator.instance t WHERE t.tenant = i.tenant AND t.saga = i.saga AND t.id = i.id OFFSET 0
  )
/*end starts*/),
/*starts*/
key AS MATERIALIZED (
  SELECT k.n, ($5::text[])[k.n] AS tenant, ($6::text[])[k.n] AS saga, ($7::text[])[k.n] AS id, k.name, k.value
  FROM unnest($20::int[], $21::text[], $22::text[]) AS k (n, name, value)
  WHERE (k.n IN (SELECT n FROM present)) IS TRUE
),
superseded AS MATERIALIZED (
  SELECT k.n, k.name, k.value, k.tenant, k.saga, t.id, t.created_by, t.place
  FROM key k CROSS JOIN LATERAL (
    SELECT t.id, t.created_by, t.ctid AS place FROM orchestrator.instance t
    WHERE ($63::text[])[k.n] IS NOT NULL AND t.tenant = k.tenant AND t.saga = k.saga AND t.id = ($63::text[])[k.n] AND t.ended
    FOR UPDATE SKIP LOCKED
  ) t
),
free AS MATERIALIZED (
  SELECT k.n FROM key k
  GROUP BY k.n
  HAVING bool_and(CASE WHEN EXISTS (
      SELECT FROM orchestrator.instance_key r
      WHERE r.value = k.value AND r.name = k.name AND r.saga || '' = k.saga AND r.tenant || '' = k.tenant AND r.instance_id <> k.id
        AND (r.tenant, r.saga, r.instance_id) NOT IN (SELECT tenant, saga, id FROM superseded s WHERE s.n = k.n) OFFSET 0
    ) OR EXISTS (
      -- What was removed does not come back; who hasn't looked must not pass a tombstone at all.
      SELECT FROM orchestrator.tombstone s
      WHERE s.tenant = k.tenant AND s.saga = k.saga AND s.name = k.name AND s.value = k.value
        AND (s.instance_id = k.id OR ($60::bool[])[k.n]) AND ($8::int[])[k.n] = 0 OFFSET 0
    ) THEN false ELSE pg_try_advisory_xact_lock(
      hashtextextended(k.tenant, hashtextextended(k.saga, hashtextextended(k.name, hashtextextended(k.value, 7))))
    ) END)
),
claimed AS MATERIALIZED (
  INSERT INTO orchestrator.instance_key AS r (tenant, saga, name, value, instance_id)
  SELECT k.tenant, k.saga, k.name, k.value, k.id FROM key k WHERE (k.n IN (SELECT n FROM free)) IS TRUE
  ORDER BY k.tenant COLLATE "C", k.saga COLLATE "C", k.name COLLATE "C", k.value COLLATE "C"
  ON CONFLICT (tenant, saga, name, value) DO UPDATE SET instance_id = excluded.instance_id
    WHERE r.instance_id IS NULL OR r.instance_id = excluded.instance_id
      OR (r.tenant, r.saga, r.instance_id) IN (SELECT tenant, saga, id FROM superseded)
  RETURNING r.tenant, r.saga, r.name, r.value, r.parked
),
holder AS MATERIALIZED (
  SELECT k.n, bool_and(k.got) AS has_all, bool_or(k.got) AS has_some, bool_or(k.parked) AS parked
  FROM (
    SELECT n, ((tenant, saga, name, value) IN (SELECT tenant, saga, name, value FROM claimed)) IS TRUE AS got,
      ((tenant, saga, name, value) IN (SELECT tenant, saga, name, value FROM claimed WHERE parked > 0)) IS TRUE AS parked
    FROM key
  ) k
  GROUP BY k.n
),
/*end starts*/
able AS MATERIALIZED (
  SELECT i.n FROM present i/*starts*/ WHERE i.keys = 0 OR i.n IN (SELECT n FROM holder WHERE has_all)/*end starts*/
),
/*answers*/
carried AS MATERIALIZED (
  SELECT c.n, c.tenant, c.destination, c.id, c.outcome
  FROM unnest($68::int[], $69::text[], $70::text[], $71::text[], $72::text[]) AS c (n, tenant, destination, id, outcome)
  WHERE (c.n IN (SELECT n FROM able)) IS TRUE
),
consumed AS MATERIALIZED (
  INSERT INTO orchestrator.consumed (tenant, destination, message_id, outcome, at)
  SELECT tenant, destination, id, outcome, ms FROM carried, instant
  ORDER BY id COLLATE "C", destination COLLATE "C", tenant COLLATE "C"
  ON CONFLICT (tenant, destination, message_id) DO NOTHING
  RETURNING tenant, destination, message_id
),
carrier AS MATERIALIZED (
  SELECT c.n, bool_and(c.got) AS has_all, bool_or(c.got) AS has_some
  FROM (
    SELECT n, ((tenant, destination, id) IN (SELECT tenant, destination, message_id FROM consumed)) IS TRUE AS got FROM carried
  ) c
  GROUP BY c.n
),
/*end answers*/
ready AS MATERIALIZED (
  SELECT i.* FROM present i
  WHERE (i.n IN (SELECT n FROM able)) IS TRUE/*answers*/ AND (i.n IN (SELECT n FROM carrier WHERE NOT has_all)) IS NOT TRUE/*end answers*/
),
/*starts*/
created AS MATERIALIZED (
  INSERT INTO orchestrator.instance (tenant, saga, id, version, definition_version, state, status, data, machine, undo, hold,
    ended, created_at, updated_at, ended_at, created_by)
  SELECT tenant, saga, id, 1, definition_version, state, status, data, machine, undo, ($61::text[])[n],
    ended, ms, ms, CASE WHEN ended THEN ms END, message_id
  FROM ready, instant WHERE expected = 0
  ORDER BY n
  ON CONFLICT (tenant, saga, id) DO NOTHING
  RETURNING tenant, saga, id, state, created_at, seq
),
/*end starts*/
changed AS MATERIALIZED (
  UPDATE orchestrator.instance t
  SET version = t.version + 1, definition_version = r.definition_version, was = t.state, state = r.state, status = r.status, data = r.data,
    machine = r.machine, undo = r.undo, hold = ($61::text[])[r.n], ended = r.ended, updated_at = (SELECT ms FROM instant),
    ended_at = CASE WHEN r.ended THEN coalesce(t.ended_at, (SELECT ms FROM instant)) END, lease_token = NULL, lease_until = NULL,
    inbox_purged = false
  FROM (SELECT * FROM ready WHERE expected > 0 AND ${asIfOne('id')}) r
  WHERE t.ctid = r.place AND t.version = r.expected
  RETURNING r.n, t.tenant, t.saga, t.id, t.was, t.state, t.created_at, t.seq
),
unlisted AS (
  DELETE FROM orchestrator.instance_state p
  USING (SELECT * FROM changed WHERE was <> state AND ${asIfOne('was')}) c
  WHERE p.state = c.was AND p.saga = c.saga AND p.tenant = c.tenant AND p.created_at = c.created_at AND p.seq = c.seq
),
listed AS (
  INSERT INTO orchestrator.instance_state (tenant, saga, state, created_at, seq, instance_id)
/*starts*/  SELECT tenant, saga, state, created_at, seq, id FROM created
  UNION ALL
/*end starts*/  SELECT tenant, saga, state, created_at, seq, id FROM changed WHERE was <> state
),
won AS MATERIALIZED (
  SELECT n FROM ready
  WHERE (expected > 0 AND n IN (SELECT n FROM changed))/*starts*/
    OR (expected = 0 AND (tenant, saga, id) IN (SELECT tenant, saga, id FROM created))/*end starts*/
),
/*starts*/
buried AS (
  INSERT INTO orchestrator.tombstone (tenant, saga, name, value, instance_id, start_id, at)
  SELECT s.tenant, s.saga, s.name, s.value, s.id, s.created_by, ms FROM superseded s, instant WHERE ${won('s.n')}
  ON CONFLICT (tenant, saga, name, value, instance_id) DO NOTHING
),
outdated AS (
  UPDATE orchestrator.instance t SET version = t.version + 1
  FROM (SELECT * FROM superseded s WHERE ${won('s.n')} AND ${asIfOne('id')}) s
  WHERE t.ctid = s.place AND t.id = s.id
),
/*end starts*/
noted AS (
  INSERT INTO orchestrator.inbox (tenant, saga, instance_id, message_id, outcome, reply, at, version, ordinal, kind, name, from_state, to_state, detail)
  SELECT tenant, saga, id, message_id, outcome, reply, ms, expected + 1, line, line_kind, line_name, line_from, line_to, line_detail
  FROM ready i, instant WHERE if_unseen AND message_id IS NOT NULL AND ${won('i.n')}
/*before*/  UNION ALL
  SELECT ${refOf('b.n')}, b.message_id, b.outcome, b.reply, ms, ($8::int[])[b.n] + 1, line, line_kind, line_name, line_from, line_to, line_detail
  FROM before b, instant WHERE ($60::bool[])[b.n] AND ${won('b.n')}
/*end before*/),
/*loaded*/
noted_again AS (
  INSERT INTO orchestrator.inbox (tenant, saga, instance_id, message_id, outcome, reply, at)
  SELECT tenant, saga, id, message_id, outcome, reply, ms FROM ready i, instant WHERE NOT if_unseen AND message_id IS NOT NULL AND ${won('i.n')}
/*before*/  UNION ALL
  SELECT ${refOf('b.n')}, b.message_id, b.outcome, b.reply, ms FROM before b, instant WHERE NOT ($60::bool[])[b.n] AND ${won('b.n')}
/*end before*/  ON CONFLICT (tenant, saga, instance_id, message_id) DO UPDATE SET outcome = excluded.outcome, reply = excluded.reply
),
/*end loaded*/
/*timers*/
disarmed AS (
  DELETE FROM orchestrator.timer t
  USING unnest($23::int[], $24::text[]) AS d (n, name)
  WHERE (t.tenant, t.saga, t.instance_id) = (${refOf('d.n')}) AND t.name = d.name AND ${won('d.n')}
    AND ${asIfOne('d.name')}
),
armed AS (
  INSERT INTO orchestrator.timer (tenant, saga, instance_id, name, token, delay_ms, payload, due_at, claimable_at)
  SELECT ${refOf('a.n')}, a.name, a.token, a.delay_ms, a.payload, at, at
  FROM unnest($25::int[], $26::text[], $27::text[], $28::float8[], $29::text[]) AS a (n, name, token, delay_ms, payload)
  CROSS JOIN LATERAL (SELECT ${after('a.delay_ms')} AS at) due
  WHERE ${won('a.n')}
  ON CONFLICT (tenant, saga, instance_id, name) DO UPDATE SET token = excluded.token, delay_ms = excluded.delay_ms,
    payload = excluded.payload, due_at = excluded.due_at, claimable_at = excluded.claimable_at, owner = NULL, attempts = 0
),
/*end timers*/
/*groups*/
grouped AS (
  INSERT INTO orchestrator.instance_group (tenant, saga, name, value, instance_id)
  SELECT tenant, saga, name, value, id FROM (
    SELECT ($5::text[])[g.n] AS tenant, ($6::text[])[g.n] AS saga, g.name, g.value, ($7::text[])[g.n] AS id
    FROM unnest($57::int[], $58::text[], $59::text[]) AS g (n, name, value) WHERE ${won('g.n')}
  ) g
  ORDER BY tenant COLLATE "C", saga COLLATE "C", name COLLATE "C", value COLLATE "C", id COLLATE "C"
  ON CONFLICT DO NOTHING
),
/*end groups*/
/*loaded*/
told AS (
  INSERT INTO orchestrator.history (tenant, saga, instance_id, version, ordinal, kind, name, message_id, from_state, to_state, detail, at)
  SELECT ${refOf('h.n')}, ($8::int[])[h.n] + 1, h.ordinal, h.kind, h.name, h.message_id, h.from_state, h.to_state, h.detail, ms
  FROM unnest($30::int[], $31::int[], $32::text[], $33::text[], $34::text[], $35::text[], $36::text[], $37::text[])
    AS h (n, ordinal, kind, name, message_id, from_state, to_state, detail), instant
  WHERE ${won('h.n')}
),
/*end loaded*/
/*deliveries*/
answered AS MATERIALIZED (
  SELECT ${refOf('a.n')}, a.message_id FROM unnest($38::int[], $39::text[]) AS a (n, message_id) WHERE ${won('a.n')} AND ${asIfOne('a.message_id')}
),
answered_deferred AS (
  DELETE FROM orchestrator.delivery d USING answered AS a (tenant, saga, id, message_id)
  WHERE d.tenant = a.tenant AND d.saga = a.saga AND d.instance_id = a.id AND d.message_id = a.message_id
  RETURNING d.seq
),
answered_parked AS (
  DELETE FROM orchestrator.delivery d
  USING answered AS a (tenant, saga, id, message_id)
    JOIN orchestrator.instance_key k ON k.tenant = a.tenant AND k.saga = a.saga AND k.instance_id = a.id AND k.parked > 0
  WHERE d.tenant = k.tenant AND d.saga = k.saga AND d.key_name = k.name AND d.key_value = k.value
    AND d.message_id = a.message_id AND d.instance_id IS NULL
),
deferred AS (
  INSERT INTO orchestrator.delivery (tenant, saga, instance_id, message_id, payload, ttl_ms, expires_at)
  SELECT ${refOf('a.n')}, a.message_id, a.payload, a.ttl_ms, ${after('a.ttl_ms')}
  FROM unnest($40::int[], $41::text[], $42::text[], $43::float8[]) WITH ORDINALITY AS a (n, message_id, payload, ttl_ms, o)
  -- The count makes that an answered one is gone before it is deferred anew.
  WHERE ${won('a.n')} AND (SELECT count(*) FROM answered_deferred) >= 0
  ORDER BY a.o
  ON CONFLICT (tenant, saga, instance_id, message_id) WHERE instance_id IS NOT NULL DO NOTHING
),
/*end deliveries*/
removed AS MATERIALIZED (
  DELETE FROM orchestrator.outbox o
  USING (
    SELECT * FROM unnest($44::int[], $45::text[], $46::text[], $47::text[]) AS d (n, tenant, destination, id)
    WHERE ${won('d.n')} AND ${asIfOne('d.id')}
    ORDER BY d.tenant COLLATE "C", d.destination COLLATE "C", d.id COLLATE "C"
  ) d
  WHERE o.tenant = d.tenant AND o.destination = d.destination AND o.id = d.id
  RETURNING o.seq, o.tenant, o.destination, o.lane
)/*work*/,
fresh AS MATERIALIZED (
  SELECT f.*, bool_and(${LANE_IS_FREE} AND NOT f.known) OVER (PARTITION BY f.n) AS leased
  FROM (SELECT f.*, ${IS_WRITTEN} AS known
  FROM unnest($48::int[], $49::bool[], $50::bool[], $51::text[], $52::text[], $53::text[], $54::text[], $55::text[], $56::float8[])
    WITH ORDINALITY AS f (n, wake, clear, tenant, destination, id, lane, payload, delay_ms, o)
  WHERE ${won('f.n')} AND (NOT f.wake/*starts*/ OR f.n IN (SELECT n FROM holder WHERE parked)/*end starts*/)
    -- The count makes that consumed rows are gone before new ones of the same key come.
    AND (SELECT count(*) FROM removed) >= 0
  ) f
),
written AS (
  ${INSERT_FRESH} WHERE NOT known ORDER BY o
)/*end work*/
SELECT w.n, ($8::int[])[w.n] + 1 AS version, true/*work*/ AND w.n NOT IN (SELECT n FROM fresh WHERE NOT leased)/*end work*/ AS leased,
  false/*work*/ OR w.n IN (SELECT n FROM fresh WHERE wake)/*end work*/ AS woken, whole.followed
FROM (
  SELECT
    CASE WHEN false/*starts*/ OR EXISTS (SELECT FROM holder h WHERE h.has_some AND h.n NOT IN (SELECT n FROM won))/*end starts*//*answers*/
      OR EXISTS (SELECT FROM carrier c WHERE c.has_some AND c.n NOT IN (SELECT n FROM won))/*end answers*/ THEN orchestrator.lose_race() END AS lost,
    EXISTS (
      SELECT FROM removed r WHERE r.lane IS NOT NULL AND EXISTS (
        SELECT FROM orchestrator.outbox o
        WHERE o.tenant = r.tenant AND o.destination = r.destination AND o.lane = r.lane
          AND o.seq NOT IN (SELECT seq FROM removed) OFFSET 0
      )
    ) AS followed
  OFFSET 0
) whole
LEFT JOIN won w ON whole.lost IS NULL`;
