import type { Endpoint, Logger } from '@nestjs-orchestrator/core/ports';
import { silentLogger, systemClock } from '@nestjs-orchestrator/core/ports';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Connection } from '../connection/connection.js';
import type { Call } from '../connection/script.js';
import { ClusterKeys } from './cluster-keys.js';
import { type Member, Members } from './members.js';
import { beatScript, removeScript } from './scripts.js';

const LEASE_MS = 3_000;

/** One endpoint as the answer to a sign of life has it: milliseconds that its lease has left. */
type Told = readonly [incarnation: string, left: number];

/** Members whose server is the test's: it answers signs of life one by one, and holds removals. */
function membersOf(logger: Logger = silentLogger) {
  const heard: string[] = [];
  const said: string[] = [];
  let failBeat: () => void = () => undefined;
  const beats: ((told: readonly Told[]) => void)[] = [];
  const removals: { readonly incarnation: string; readonly answer: (removed: 0 | 1) => void }[] = [];
  const connection = {
    run: ({ script, args }: Call) =>
      new Promise((resolve, reject) => {
        failBeat = () => reject(new Error('not connected'));
        if (script === beatScript) {
          said.push(String(args[2]));
          beats.push((told) =>
            resolve(told.flatMap(([name, left]) => [name, JSON.stringify([name, 1, 0]), left])),
          );
        } else if (script === removeScript) removals.push({ incarnation: String(args[0]), answer: resolve });
      }),
    command: async () => said.push('a hint'),
  };
  const say =
    (what: string) =>
    ({ endpoint }: Member): void =>
      void heard.push(`${endpoint.name} ${what}`);
  const members = new Members(
    connection as unknown as Connection,
    new ClusterKeys('test', 'shop', 1),
    endpointOf('self'),
    {
      clock: { ...systemClock, schedule: () => ({ cancel: () => undefined }) },
      logger,
      leaseMs: LEASE_MS,
      listener: {
        came: say('came'),
        changed: (member, state) => say(state)(member),
        left: say('left'),
        renewed: () => void heard.push('renewed'),
        declaredDead: () => void heard.push('declared dead'),
      },
    },
  );
  onTestFinished(() => members.close());
  const answer = async (...told: readonly Told[]): Promise<void> => {
    beats.shift()?.(told);
    await settled();
  };
  return {
    members,
    removals,
    heard: () => heard.splice(0),
    /** What was said of this endpoint by its signs of life, and when the others were told to look. */
    said: () => said.splice(0),
    /** A sign of life is answered. */
    async beat(...told: readonly Told[]): Promise<void> {
      const beaten = members.beat();
      beats.shift()?.(told);
      await Promise.race([beaten, settled()]);
    },
    /** One is under way; the server is gone when the returned function is called. */
    beginInVain(): () => Promise<void> {
      const beaten = members.beat();
      return async () => {
        failBeat();
        await beaten;
      };
    },
    /** One is under way; it is answered by the returned function. */
    begin(): (...told: readonly Told[]) => Promise<void> {
      void members.beat();
      return answer;
    },
    /** The one that is under way is answered. */
    answer,
  };
}

const endpointOf = (name: string): Endpoint => ({ name, incarnation: name });

/** What is ready to go on has gone on. */
async function settled(): Promise<void> {
  for (let n = 0; n < 20; n += 1) await Promise.resolve();
}

describe('the members of a cluster', () => {
  it('come, are suspect, come back and leave as the leases tell', async () => {
    const { beat, heard } = membersOf();
    await beat(['self', LEASE_MS], ['a', LEASE_MS]);
    expect(heard()).toEqual(['a came', 'renewed']);
    await beat(['a', LEASE_MS / 4]);
    await beat(['a', LEASE_MS]);
    expect(heard()).toEqual(['a suspect', 'renewed', 'a up', 'renewed']);
    await beat(['self', LEASE_MS]);
    expect(heard()).toEqual(['a left', 'renewed']);
  });

  it('do not leave since an older answer does not know one that was met while it was on its way', async () => {
    const { members, begin, beat, heard } = membersOf();
    const answered = begin();
    members.meet(endpointOf('new'));
    await answered(['self', LEASE_MS]);
    expect(heard()).toEqual(['new came', 'renewed']);
    await beat(['self', LEASE_MS], ['new', LEASE_MS]);
    expect(heard()).toEqual(['renewed']);
    await beat(['self', LEASE_MS]);
    expect(heard()).toEqual(['new left', 'renewed']);
  });

  it('do not leave since one was met while another one that is dead is taken out', async () => {
    const { members, beat, heard, removals } = membersOf();
    await beat(['dead', LEASE_MS]);
    heard();
    await beat(['dead', -1]);
    members.meet(endpointOf('new'));
    removals[0]?.answer(1);
    await settled();
    expect([removals[0]?.incarnation, heard()]).toEqual(['dead', ['new came', 'dead left', 'renewed']]);
  });

  it('stay where their lease is over and others see it otherwise; who has left is not met again', async () => {
    const { members, beat, heard, removals } = membersOf();
    await beat(['a', LEASE_MS]);
    await beat(['a', -1]);
    removals[0]?.answer(0);
    await settled();
    expect(heard()).toEqual(['a came', 'renewed', 'a suspect', 'renewed']);
    await beat();
    members.meet(endpointOf('a'));
    expect(heard()).toEqual(['a left', 'renewed']);
  });
});

it('who takes part says so before the others are told to look, also where a sign of life is under way just then', async () => {
  const { members, begin, answer, said } = membersOf();
  begin();
  const serving = members.serve();
  await settled();
  await answer(['self', LEASE_MS]);
  await answer(['self', LEASE_MS]);
  await serving;
  const about = (serves: number): string => JSON.stringify(['self', process.pid, serves]);
  expect(said()).toEqual([about(0), about(1), 'a hint']);
});

it('a sign of life that fails is told, but for one that the end of the place has cut off', async () => {
  const told: string[] = [];
  const { members, beginInVain } = membersOf({ ...silentLogger, warn: (text) => void told.push(text) });
  await beginInVain()();
  expect(told).toEqual([expect.stringContaining('could not be renewed')]);
  const cutOff = beginInVain();
  members.close();
  await cutOff();
  expect(told).toHaveLength(1);
});
