/**
 * Leases on instances, held instances, dead letters that are settled, tombstones and the archive. No index is added on a column that every commit
 * changes; that of statuses leaves out those that nearly all instances have.
 */
export const operations = `
ALTER TABLE orchestrator.instance
  ADD COLUMN hold text,
  ADD COLUMN lease_token text COLLATE "C",
  ADD COLUMN lease_until bigint,
  ADD COLUMN created_by text COLLATE "C",
  ADD COLUMN inbox_purged boolean NOT NULL DEFAULT false;
CREATE INDEX instance_ended ON orchestrator.instance (ended_at) WHERE ended_at IS NOT NULL AND NOT inbox_purged;
CREATE INDEX instance_status ON orchestrator.instance ((saga || '/' || tenant), status, created_at, seq)
  WHERE status NOT IN ('running', 'completed', 'compensated');

-- From an instance to all of its keys, also those on which nothing is parked.
DROP INDEX orchestrator.instance_key_parked;
CREATE INDEX instance_key_instance ON orchestrator.instance_key (instance_id, saga, tenant) WHERE instance_id IS NOT NULL;
CREATE INDEX instance_group_instance ON orchestrator.instance_group (instance_id, saga, tenant);

-- Who has it, or had it and never said what became of it.
ALTER TABLE orchestrator.timer ADD COLUMN owner text COLLATE "C";

ALTER TABLE orchestrator.dead_letter
  ADD COLUMN detail text,
  ADD COLUMN verdict text,
  ADD COLUMN settled_by text,
  ADD COLUMN settled_reason text,
  ADD COLUMN settled_at bigint;
CREATE INDEX dead_letter_settled ON orchestrator.dead_letter (settled_at) WHERE settled_at IS NOT NULL;

-- Rows lie in the order of time, and are never changed: a few pages of index tell where the old ones are.
CREATE INDEX consumed_at ON orchestrator.consumed USING brin (at);

-- What is left under a key of instances that were removed or superseded.
CREATE TABLE orchestrator.tombstone (
  tenant text COLLATE "C" NOT NULL,
  saga text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  value text COLLATE "C" NOT NULL,
  instance_id text COLLATE "C" NOT NULL,
  start_id text COLLATE "C",
  at bigint NOT NULL,
  seq bigint GENERATED ALWAYS AS IDENTITY,
  PRIMARY KEY (value, name, saga, tenant, instance_id)
);
CREATE INDEX tombstone_at ON orchestrator.tombstone (at);

CREATE TABLE orchestrator.archive (
  tenant text COLLATE "C" NOT NULL,
  saga text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  record text NOT NULL,
  archived_at bigint NOT NULL,
  PRIMARY KEY (id, saga, tenant)
);
`;
