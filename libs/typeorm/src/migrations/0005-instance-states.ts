/**
 * Which instances are in which state, in the order of their creation. A table of its own: an index on a column of `instance` that commits change would make
 * each of them write all indexes of that table. `was` is the state that the last commit has found, so that the statement that changes it can tell.
 */
export const instanceStates = `
CREATE TABLE orchestrator.instance_state (
  tenant text COLLATE "C" NOT NULL,
  saga text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL,
  created_at bigint NOT NULL,
  seq bigint NOT NULL,
  instance_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (state, saga, tenant, created_at, seq)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);
INSERT INTO orchestrator.instance_state (tenant, saga, state, created_at, seq, instance_id)
  SELECT tenant, saga, state, created_at, seq, id FROM orchestrator.instance;
ALTER TABLE orchestrator.instance ADD COLUMN was text COLLATE "C";
`;
