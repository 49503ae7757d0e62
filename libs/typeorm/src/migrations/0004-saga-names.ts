/** Names that nodes may write into instances, by version of their saga: what a build lacks is told by these few rows. */
export const sagaNames = `
CREATE TABLE orchestrator.saga_name (
  saga text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  kind text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  PRIMARY KEY (saga, version, kind, name)
);
`;
