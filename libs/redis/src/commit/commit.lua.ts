import { preludeLua } from '../connection/prelude.lua.js';
import { script } from '../connection/script.js';
import { deliveriesLua } from '../delivery/deliveries.lua.js';
import { instancesLua } from '../instance/instances.lua.js';
import { workLua } from '../outbox/work.lua.js';
import { timersLua } from '../timer/timers.lua.js';

/** All that a script needs that commits. */
export const COMMITTING = [preludeLua, deliveriesLua, timersLua, workLua, instancesLua] as const;

/**
 * One commit. First everything is read and checked: version, lease, holders of keys, types. Then everything is written.
 * Answers `{0}` for a lost race, else `{1, version, leased, woken, followed, added}`.
 */
export const commitScript = script(
  ...COMMITTING,
  `
local owner, lease = take(), takeNumber()
local c = takeCommit()
if not mayCommit(c, '') then return { 0 } end
checkCommit(c)
local version, leased, woken, followed, added = writeCommit(c, owner, lease)
return { 1, text(version), leased and 1 or 0, woken and 1 or 0, followed and 1 or 0, added }`,
);
