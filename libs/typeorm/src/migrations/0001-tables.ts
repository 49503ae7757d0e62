/**
 * The first tables. Texts that are compared have the collation "C": bytes, so that no update of the system's locales can break an index.
 * Instants are milliseconds since the epoch, as in the port, so that virtual time needs no conversion. JSON is text: Postgres' own types
 * would change it or refuse `\u0000` in it. Keys begin with their most selective column, so that most comparisons end with the first one.
 */
export const tables = `
CREATE TABLE orchestrator.instance (
  tenant text COLLATE "C" NOT NULL,
  saga text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  seq bigint GENERATED ALWAYS AS IDENTITY,
  version integer NOT NULL,
  definition_version integer NOT NULL,
  state text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL,
  data text NOT NULL,
  machine text NOT NULL,
  undo text NOT NULL,
  ended boolean NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  ended_at bigint,
  PRIMARY KEY (id, saga, tenant)
) WITH (fillfactor = 80);
-- No column that every commit changes is indexed: so an update touches no index (heap-only tuple).
-- The rooms are expressions: while a table is too young to be analysed, the planner would take an index that begins with (tenant, saga) for
-- look-ups by key as well, and read all instances of a saga for each.
CREATE INDEX instance_created ON orchestrator.instance ((saga || '/' || tenant), created_at, seq);
CREATE INDEX instance_alive ON orchestrator.instance ((saga || '/' || tenant), created_at, seq) WHERE ended_at IS NULL;

-- The row on which parking and creation meet. parked: messages waiting on the key, never less than there are.
CREATE TABLE orchestrator.instance_key (
  tenant text COLLATE "C" NOT NULL,
  saga text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  value text COLLATE "C" NOT NULL,
  instance_id text COLLATE "C",
  parked integer NOT NULL DEFAULT 0,
  PRIMARY KEY (value, name, saga, tenant)
);
CREATE INDEX instance_key_parked ON orchestrator.instance_key (instance_id, saga, tenant) WHERE parked > 0;

CREATE TABLE orchestrator.inbox (
  tenant text COLLATE "C" NOT NULL,
  saga text COLLATE "C" NOT NULL,
  instance_id text COLLATE "C" NOT NULL,
  message_id text COLLATE "C" NOT NULL,
  outcome text NOT NULL,
  reply text,
  at bigint NOT NULL,
  PRIMARY KEY (instance_id, message_id, saga, tenant)
);

-- The inbox of those who are no instance: one row per message and consumer.
CREATE TABLE orchestrator.consumed (
  tenant text COLLATE "C" NOT NULL,
  destination text COLLATE "C" NOT NULL,
  message_id text COLLATE "C" NOT NULL,
  outcome text NOT NULL,
  at bigint NOT NULL,
  PRIMARY KEY (message_id, destination, tenant)
);

-- claimable_at: not before this; of a leased row (owner is set), the end of its lease.
CREATE TABLE orchestrator.outbox (
  tenant text COLLATE "C" NOT NULL,
  destination text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  seq bigint GENERATED ALWAYS AS IDENTITY,
  lane text COLLATE "C",
  payload text NOT NULL,
  delay_ms double precision NOT NULL,
  claimable_at bigint NOT NULL,
  owner text COLLATE "C",
  attempts integer NOT NULL,
  dead boolean NOT NULL DEFAULT false,
  reason text,
  PRIMARY KEY (id, destination, tenant)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);
-- Two of one kind, so that rows without a lane are found past any number of rows that wait in one.
CREATE INDEX outbox_claim ON orchestrator.outbox (destination, claimable_at, seq) WHERE NOT dead AND lane IS NULL;
CREATE INDEX outbox_claim_laned ON orchestrator.outbox (destination, claimable_at, seq) WHERE NOT dead AND lane IS NOT NULL;
CREATE INDEX outbox_lane ON orchestrator.outbox (destination, lane, tenant, seq) WHERE lane IS NOT NULL;

CREATE TABLE orchestrator.timer (
  tenant text COLLATE "C" NOT NULL,
  saga text COLLATE "C" NOT NULL,
  instance_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  token text COLLATE "C" NOT NULL,
  delay_ms double precision NOT NULL,
  payload text NOT NULL,
  due_at bigint NOT NULL,
  claimable_at bigint NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  PRIMARY KEY (instance_id, name, saga, tenant)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);
-- An expression for the same reason as above.
CREATE INDEX timer_claim ON orchestrator.timer ((saga || '/'), claimable_at, due_at);

-- A message that waits for an instance (deferred), or for a key (parked: instance_id is null). A parked one belongs to the instance that its
-- key leads to; nothing is written to hand it over.
CREATE TABLE orchestrator.delivery (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant text COLLATE "C" NOT NULL,
  saga text COLLATE "C" NOT NULL,
  instance_id text COLLATE "C",
  key_name text COLLATE "C",
  key_value text COLLATE "C",
  message_id text COLLATE "C" NOT NULL,
  payload text NOT NULL,
  ttl_ms double precision NOT NULL,
  expires_at bigint NOT NULL
);
CREATE UNIQUE INDEX delivery_deferred ON orchestrator.delivery (instance_id, message_id, saga, tenant) WHERE instance_id IS NOT NULL;
CREATE UNIQUE INDEX delivery_parked ON orchestrator.delivery (key_value, key_name, message_id, saga, tenant) WHERE instance_id IS NULL;
CREATE INDEX delivery_expiry ON orchestrator.delivery (expires_at);

CREATE TABLE orchestrator.history (
  tenant text COLLATE "C" NOT NULL,
  saga text COLLATE "C" NOT NULL,
  instance_id text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  ordinal integer NOT NULL,
  kind text NOT NULL,
  name text NOT NULL,
  message_id text NOT NULL,
  from_state text,
  to_state text,
  detail text,
  at bigint NOT NULL,
  PRIMARY KEY (instance_id, version, ordinal, saga, tenant)
);

CREATE TABLE orchestrator.dead_letter (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant text COLLATE "C" NOT NULL,
  destination text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  payload text NOT NULL,
  reason text NOT NULL,
  attempts integer NOT NULL,
  at bigint NOT NULL
);
CREATE INDEX dead_letter_tenant ON orchestrator.dead_letter (tenant, seq);

-- Ends a statement in which an entry got some of its keys, and others went to a rival after the statement had begun.
CREATE FUNCTION orchestrator.lose_race() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'OR001', MESSAGE = 'a rival claimed a key or an instance id while this statement ran';
END $$;
`;
