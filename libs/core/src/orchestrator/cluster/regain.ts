import type { Endpoint, TransportSeat } from '../../ports/transport.js';
import type { GroupCore } from '../group/group-core.js';
import type { OwnNames } from './own-names.js';

/** Others have declared this process dead. */
export function tellLost({ records }: GroupCore, { name, incarnation }: Endpoint): void {
  if (records.wants('membership'))
    records.tell({ type: 'membership', state: 'lost', endpoint: name, incarnation });
}

/** It is back, as another incarnation. A machine whose id another process has by now ends: an id belongs to one. */
export async function regain(core: GroupCore, names: OwnNames, seat: TransportSeat): Promise<void> {
  const taken = await names.claimAgain(seat);
  const displaced = taken.map((name) => name.slice(core.name.length + 1));
  for (const id of displaced) endDisplaced(core, id);
  const { name, incarnation } = seat.self;
  if (core.records.wants('membership'))
    core.records.tell({ type: 'membership', state: 'regained', endpoint: name, incarnation, displaced });
}

function endDisplaced(core: GroupCore, id: string): void {
  const instance = core.instances.get(id);
  if (instance === undefined) return;
  core.logger.error(
    `Machine '${id}' ends: another process has taken its id while this one counted as dead.`,
    { group: core.name },
  );
  void core.endings.of(() => instance.end('displaced'));
}
