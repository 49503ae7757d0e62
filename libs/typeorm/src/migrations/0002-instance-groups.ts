/**
 * Keys that many instances may have: which instances a message with such a key is for. Begins with what a message knows, so that its instances
 * lie side by side.
 */
export const instanceGroups = `
CREATE TABLE orchestrator.instance_group (
  tenant text COLLATE "C" NOT NULL,
  saga text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  value text COLLATE "C" NOT NULL,
  instance_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (value, name, saga, tenant, instance_id)
);
`;
