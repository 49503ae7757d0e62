/**
 * One index for each way to ask for dead letters, of those that are open and of those that are settled: a page is read where it begins, however many
 * letters of another kind are newer. A letter stands in four of them.
 */
export const listsOfDeadLetters = `
CREATE INDEX dead_letter_open ON orchestrator.dead_letter (seq) WHERE settled_at IS NULL;
CREATE INDEX dead_letter_open_tenant ON orchestrator.dead_letter (tenant, seq) WHERE settled_at IS NULL;
CREATE INDEX dead_letter_open_destination ON orchestrator.dead_letter (destination, seq) WHERE settled_at IS NULL;
CREATE INDEX dead_letter_open_both ON orchestrator.dead_letter (tenant, destination, seq) WHERE settled_at IS NULL;
CREATE INDEX dead_letter_settled_all ON orchestrator.dead_letter (seq) WHERE settled_at IS NOT NULL;
CREATE INDEX dead_letter_settled_tenant ON orchestrator.dead_letter (tenant, seq) WHERE settled_at IS NOT NULL;
CREATE INDEX dead_letter_settled_destination ON orchestrator.dead_letter (destination, seq) WHERE settled_at IS NOT NULL;
CREATE INDEX dead_letter_settled_both ON orchestrator.dead_letter (tenant, destination, seq) WHERE settled_at IS NOT NULL;
DROP INDEX orchestrator.dead_letter_tenant;
`;
