import { expect, it, onTestFinished } from 'vitest';
import { Claims } from '../../../libs/transports/src/named-pipe/claims.js';
import {
  ClusterFolder,
  newIncarnation,
  PROTOCOL,
} from '../../../libs/transports/src/named-pipe/cluster-folder.js';
import { Listener } from '../../../libs/transports/src/named-pipe/listener.js';
import { Names } from '../../../libs/transports/src/named-pipe/names.js';
import { folderOfTest, numbered, Station } from './support.js';

/** An endpoint with a socket, its own name and one of a machine, whose connections are still on their way. */
async function unheard(directory: string, machine: string) {
  const folder = ClusterFolder.of(directory, 'test');
  const endpoint = { name: 'newcomer', incarnation: newIncarnation() };
  const nothing = (): void => undefined;
  const listener = await Listener.open(folder, endpoint.incarnation, nothing, nothing);
  onTestFinished(() => listener.close());
  const alive = async (): Promise<boolean> => true;
  const itself = { protocol: PROTOCOL, ...endpoint, pid: 1, token: 'its', maxFrameBytes: 4_194_304 };
  await new Claims(folder.endpoints, endpoint.incarnation, alive).take('newcomer', itself);
  await new Names(folder.names, endpoint, alive).claim(machine, 'till');
  return endpoint;
}

it.each([
  ['locate', (one: Station) => one.seat.locate('shop/till-1')],
  ['names', async (one: Station) => (await one.seat.names())[0]],
])(
  'whoever %s tells of is a peer from then on, and takes frames, also where it came unheard',
  async (_, ask) => {
    const directory = folderOfTest();
    const one = await new Station('one').join({ directory });
    const endpoint = await unheard(directory, 'shop/till-1');
    expect(one.seat.peers()).toEqual([]);
    expect(await ask(one)).toEqual({ name: 'shop/till-1', about: 'till', endpoint });
    expect(one.seat.peers()).toEqual([{ endpoint, state: 'up', pid: 1 }]);
    expect(one.statesOf('newcomer')).toEqual(['up']);
    expect(one.seat.trySend(endpoint, numbered(1))).toBe(true);
  },
);
