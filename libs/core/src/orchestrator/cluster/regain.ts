import type { Endpoint, TransportSeat } from '../../ports/transport.js';
import type { GroupCore } from '../group/group-core.js';
import type { OwnNames } from './own-names.js';

/** Others have declared this process dead. */
export function tellLost({ records }: GroupCore, { name, incarnation }: Endpoint): void {
  if (records.wants('membership'))
    records.tell({ type: 'membership', state: 'lost', endpoint: name, incarnation });
}

/** What a process does to be back after others had declared it dead, as another incarnation, and what it tells then. */
export class Regain {
  /** Machines that have ended on the way, of whom nothing was told yet. */
  private displaced: string[] = [];

  constructor(
    private readonly core: GroupCore,
    private readonly names: OwnNames,
  ) {}

  /**
   * In a new place. A machine whose id another process has by now ends: an id belongs to one.
   *
   * @throws as `OwnNames.claimAgain` (as rejections)
   */
  async enter(seat: TransportSeat): Promise<void> {
    const { core } = this;
    const taken = await this.names.claimAgain(seat);
    const displaced = taken.map((name) => name.slice(core.name.length + 1));
    this.displaced.push(...displaced);
    for (const id of displaced) endDisplaced(core, id);
  }

  /** The place counts: whoever hears of it finds everything as it was. */
  found({ self }: TransportSeat): void {
    const { records } = this.core;
    const { displaced } = this;
    this.displaced = [];
    const { name, incarnation } = self;
    if (records.wants('membership'))
      records.tell({ type: 'membership', state: 'regained', endpoint: name, incarnation, displaced });
  }
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
