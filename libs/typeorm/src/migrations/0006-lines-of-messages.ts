/**
 * The line of history that the handling of a message leaves lies in the row of the inbox that it leaves anyway; `kind` is null where there is none.
 * Half of each page of instances is left free: the instances of a page are often changed by one statement, all of them, and an update whose new version
 * finds room on its page writes no index.
 */
export const linesOfMessages = `
ALTER TABLE orchestrator.inbox
  ADD COLUMN version integer,
  ADD COLUMN ordinal integer,
  ADD COLUMN kind text,
  ADD COLUMN name text,
  ADD COLUMN from_state text,
  ADD COLUMN to_state text,
  ADD COLUMN detail text;
ALTER TABLE orchestrator.instance SET (fillfactor = 50);
`;
