import { PeerLostError } from '@nestjs-orchestrator/core';
import koffi from 'koffi';
import { mkdirSync, readdirSync, renameSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PosixSources } from '../../../libs/transports/src/shared-memory/system/posix.js';
import { clusterOfTest, Member } from './member.js';

/** Doesn't pass the end of a process on: as where it has not come through yet. */
const deaf = ((fd: number, what: { disconnect?: boolean }, onEvent: () => void) =>
  koffi.node.poll(fd, what, what.disconnect === true ? () => undefined : onEvent)) as typeof koffi.node.poll;
const deafToDeaths: PosixSources = {
  platform: 'linux',
  importKoffi: async () => ({ default: { ...koffi, node: { ...koffi.node, poll: deaf } } }),
};

describe('the places of a cluster', () => {
  it('keep what one sent that came, sent and died while the receiver stood still', async () => {
    const cluster = clusterOfTest();
    const reader = await Member.join(cluster, 'reader');
    const goOn = reader.seat.standStill();
    const brief = await Member.join(cluster, 'brief');
    for (const text of ['first', 'second']) brief.say(reader, text);
    brief.seat.abandon();
    const later = await Member.join(cluster, 'later');
    later.say(reader, 'third');
    goOn();
    await reader.hears('later: third');
    await reader.hears('brief lost');
    expect(reader.told.filter((one) => one.startsWith('brief'))).toEqual([
      'brief up',
      'brief: first',
      'brief: second',
      'brief lost',
    ]);
  });

  it('are not given away while somebody has to read what their last holder sent', async () => {
    const cluster = clusterOfTest({ maxEndpoints: 2 });
    const reader = await Member.join(cluster, 'reader');
    const goOn = reader.seat.standStill();
    const brief = await Member.join(cluster, 'brief');
    brief.say(reader, 'first');
    await brief.seat.leave();
    await expect(Member.join(cluster, 'next')).rejects.toMatchObject({ code: 'REGISTRY_FULL', places: 2 });
    goOn();
    await reader.hears('brief lost');
    const next = await Member.join(cluster, 'next');
    next.say(reader, 'second');
    await reader.hears('next: second');
    expect(reader.told).toEqual(['brief up', 'brief: first', 'brief lost', 'next up', 'next: second']);
  });

  it('are used again and again, each time by a generation of its own', async () => {
    const cluster = clusterOfTest({ maxEndpoints: 2, heartbeatMs: 3_600_000 });
    const reader = await Member.join(cluster, 'reader');
    for (let round = 0; round < 20; round += 1) {
      const guest = await Member.join(cluster, `guest ${round}`);
      guest.say(reader, 'hello');
      if (round % 2 === 0) await guest.seat.leave();
      else guest.seat.abandon();
      await reader.hears(`guest ${round} lost`);
    }
    expect(reader.seat.statistics()).toMatchObject({ framesReceived: 20, corrupt: 0, peers: 0 });
  });

  it('give what was meant for one that died to nobody who takes its place', async () => {
    const cluster = clusterOfTest({ heartbeatMs: 3_600_000 });
    const sender = await Member.join(cluster, 'sender', { sources: deafToDeaths });
    const brief = await Member.join(cluster, 'brief');
    // It comes to no turn of its own: its lane to the sender, which would keep its place from being taken, is never opened.
    brief.seat.standStill();
    await sender.hears('brief up');
    sender.say(brief, 'for the dead one');
    brief.seat.abandon();
    const heir = await Member.join(cluster, 'heir');
    await sender.hears('heir up');
    expect(() => sender.say(brief, 'for the dead one, too')).toThrow(PeerLostError);
    await sender.hears('brief lost');
    sender.say(heir, 'for the heir');
    await heir.hears('sender: for the heir');
    expect(heir.told).toEqual(['sender up', 'sender: for the heir']);
  });

  it('hear of a death at once, long before the next sign of life would be missed', async () => {
    const cluster = clusterOfTest({ heartbeatMs: 3_600_000 });
    const one = await Member.join(cluster, 'one');
    const two = await Member.join(cluster, 'two');
    await one.hears('two up');
    two.seat.abandon();
    await one.hears('two lost');
    expect(one.seat.peers()).toEqual([]);
  });

  it('are looked at again with the next sign of life where a newcomer could not be met', async () => {
    const cluster = clusterOfTest({ heartbeatMs: 20 });
    let warn = (_message: string) => {};
    const warned = new Promise<string>((resolve) => (warn = resolve));
    const logger = { debug() {}, info() {}, warn, error() {} };
    const one = await Member.join(cluster, 'one', { logger });
    const goOn = one.seat.standStill();
    const two = await Member.join(cluster, 'two');
    const { directory } = cluster.options;
    const folder = readdirSync(directory).find((name) => name.startsWith('shm-')) ?? '';
    // What stands there can't be opened as a file, as where a process has none left.
    const sign = join(directory, folder, '1-1.alive');
    renameSync(sign, `${sign}.kept`);
    mkdirSync(sign);
    goOn();
    expect(await warned).toMatch(/can't be met yet.*EISDIR/);
    expect(one.told).toEqual([]);
    rmdirSync(sign);
    renameSync(`${sign}.kept`, sign);
    await one.hears('two up');
    two.say(one, 'hello');
    await one.hears('two: hello');
  });

  it('carry frames to oneself, too', async () => {
    const one = await Member.join(clusterOfTest(), 'one');
    one.say(one, 'note');
    await one.hears('one: note');
    expect([one.told, one.seat.peers()]).toEqual([['one: note'], []]);
  });
});
