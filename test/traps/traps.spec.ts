import { describe, expect, it } from 'vitest';
import { storeKinds } from '../saga/support.js';
import {
  crashBetweenSaveAndPublish,
  crashInMidCompensation,
  effectsRepeatedByARerun,
  restartWithStoredCompensations,
  zombieWriter,
} from './crashes.js';
import {
  concurrentEvents,
  duplicateDelivery,
  eventBeforeTheInstance,
  simultaneousStarts,
} from './delivery.js';
import { definitionChangedInFlight, poisonMessage, wrongTenant } from './strangers.js';
import { staleTimer, timerStorm } from './time.js';
import type { Trap } from './trap.js';
import { failingCompensation, successAfterFailure } from './undo.js';

/** What saga engines fall into, and where it is shown that this one does not. */
const traps: Readonly<Record<string, Trap>> = {
  'duplicate delivery': duplicateDelivery,
  'event before the instance': eventBeforeTheInstance,
  'concurrent events': concurrentEvents,
  'simultaneous starts': simultaneousStarts,
  'crash between save and publish': crashBetweenSaveAndPublish,
  'effects repeated by a re-run': effectsRepeatedByARerun,
  'crash in mid-compensation': crashInMidCompensation,
  'failing compensation': failingCompensation,
  'restart with stored compensations': restartWithStoredCompensations,
  'stale timer': staleTimer,
  'poison message': poisonMessage,
  'zombie writer': zombieWriter,
  'definition changed in flight': definitionChangedInFlight,
  'timer storm': timerStorm,
  'wrong tenant': wrongTenant,
  'success after failure': successAfterFailure,
};

describe.each(storeKinds)('sixteen traps, on $kind', (kind) => {
  it.each(Object.entries(traps))('%s', async (_, trap) => {
    expect.hasAssertions();
    await trap(kind);
  });
});
