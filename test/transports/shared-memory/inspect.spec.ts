import { inspectSegment } from '@nestjs-orchestrator/transports';
import { describe, expect, it } from 'vitest';
import { orchestrator } from '../../support/command-line.js';
import { clusterOfTest, Member, type TestCluster } from './member.js';

const inspect = ({ name, options: { directory } }: TestCluster, ...more: string[]) =>
  orchestrator(['inspect', name, '--directory', directory, ...more]);

describe('orchestrator inspect', () => {
  it('shows who is there, who holds which name, and what waits', async () => {
    const cluster = clusterOfTest();
    const one = await Member.join(cluster, 'one');
    const two = await Member.join(cluster, 'two');
    await one.seat.claim('shop', 'a machine');
    await one.hears('two up');
    two.seat.standStill();
    one.say(two, '12345678');
    const { code, out } = await inspect(cluster);
    expect(code).toBe(0);
    expect(out).toContain(`Cluster '${cluster.name}' in /xorc-`);
    expect(out).toMatch(new RegExp(`Processes, 2 of 16:\n  0  one  pid ${process.pid}  alive.*\n  1  two  `));
    expect(out).toContain('Names, 1 of 256:\n  shop  held by one: a machine\n');
    expect(out).toContain('Lanes:\n  one → two  16 bytes\n');
  });

  it('prints the same as JSON, and changes nothing', async () => {
    const cluster = clusterOfTest();
    const one = await Member.join(cluster, 'one');
    one.seat.abandon();
    const { out } = await inspect(cluster, '--json');
    const { directory } = cluster.options;
    expect(JSON.parse(out)).toEqual({
      type: 'shared-memory',
      ...(await inspectSegment(cluster.name, { directory })),
    });
    expect(JSON.parse(out)).toMatchObject({
      cluster: cluster.name,
      laneBytes: 4_096,
      processes: [{ slot: 0, name: 'one', pid: process.pid, state: 'dead' }],
      names: [],
      lanes: [],
    });
  });

  it('says that there is no such cluster', async () => {
    const cluster = clusterOfTest();
    expect(await inspectSegment(cluster.name)).toBeUndefined();
    const { code, out, error } = await inspect(cluster);
    expect([code, out]).toEqual([2, '']);
    expect(error).toContain(`no cluster '${cluster.name}'`);
  });
});
