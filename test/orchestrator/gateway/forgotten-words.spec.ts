import { createOrchestrator, gateway } from '@nestjs-orchestrator/core';
import { type MemoryNetwork, memoryTransport } from '@nestjs-orchestrator/core/memory';
import type { Endpoint, Transport } from '@nestjs-orchestrator/core/ports';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readGatewayFrame } from '../../../libs/core/src/orchestrator/cluster/gateway/words.js';
import { entriesAt, ledger, registerLedger, turns } from '../transport/support.js';
import { type World, world } from './support.js';

/** What one process hands to the server of `company`. */
interface Post {
  /** Kind of the next word that the server forgets; `link`: a frame of a link between members of `company`. */
  forgets: string | undefined;
  forgot: number;
}

/** A transport whose server may forget what it has taken. */
function forgetful(network: MemoryNetwork, post: Post): Transport {
  const inner = memoryTransport(network);
  return {
    type: inner.type,
    async join(options, receiver) {
      const seat = await inner.join(options, receiver);
      const trySend = seat.trySend.bind(seat);
      return Object.assign(seat, {
        giveUp: () => network.expel(seat.self),
        trySend: (to: Endpoint, frame: Uint8Array) => {
          if ((readGatewayFrame(frame)?.kind ?? 'link') !== post.forgets) return trySend(to, frame);
          post.forgets = undefined;
          post.forgot += 1;
          return true;
        },
      });
    },
  };
}

const post = (): Post => ({ forgets: undefined, forgot: 0 });

/** Process one of `plant-1` and process far of `company`, with `books` at each; the server of `company` may forget. */
async function stage() {
  const set = world();
  const posts = { gateway: post(), far: post() };
  const g1 = await createOrchestrator({
    name: 'ledgers',
    cluster: 'plant-1',
    endpoint: 'g1',
    clock: set.clock,
    transports: {
      gateway: gateway({
        local: memoryTransport(set.networkOf('plant-1')),
        distributed: forgetful(set.company, posts.gateway),
        joins: 'company',
      }),
    },
  });
  onTestFinished(() => g1.release());
  registerLedger(g1);
  const one = await set.join('plant-1', 'one');
  const far = await set.join('company', 'far', {
    transports: { memory: forgetful(set.company, posts.far) },
  });
  await one.group.spawn(ledger, { id: 'books' });
  await far.group.spawn(ledger, { id: 'books' });
  await pass(set, 10_000);
  return {
    set,
    g1,
    posts,
    one,
    far,
    there: far.group.ref({ cluster: 'plant-1', group: 'ledgers', machine: 'books' }),
    back: one.group.ref({ cluster: 'company', group: 'ledgers', machine: 'books' }),
  };
}

async function pass({ clock }: World, ms: number): Promise<void> {
  await turns();
  await clock.advance(ms);
  await turns();
}

type Scene = Awaited<ReturnType<typeof stage>>;

describe('what a gateway says, or is told, that a server forgets', () => {
  it.each<[way: 'there' | 'back', kind: string, by: keyof Scene['posts']]>([
    ['there', 'ask', 'far'],
    ['there', 'answer', 'gateway'],
    ['there', 'open', 'far'],
    ['there', 'data', 'far'],
    ['there', 'data', 'gateway'],
    ['back', 'open', 'gateway'],
    ['back', 'data', 'gateway'],
    ['back', 'data', 'far'],
  ])('holds nobody up who goes %s: %s of %s', async (way, kind, by) => {
    const { set, posts, [way]: ref } = await stage();
    posts[by].forgets = kind;
    const asked = ref.request({ type: 'COUNT' }, { timeoutMs: Number.POSITIVE_INFINITY }).then(
      () => 'answered',
      ({ code }: { code: string }) => code,
    );
    await pass(set, 60_000);
    expect(posts[by].forgot).toBe(1);
    expect(['answered', 'OUTCOME_UNKNOWN', 'PEER_LOST']).toContain(await asked);
    await ref.send({ type: 'ADD', entry: 'after' });
    expect(await entriesAt(ref)).toEqual(['after']);
  });

  it('keeps no route open at one end: what was asked over it ends', async () => {
    const { set, posts, one, there } = await stage();
    await there.send({ type: 'ADD', entry: 'before' });
    const waits = there.waitFor('closed').catch(({ code }: { code: string }) => code);
    await pass(set, 10_000);
    posts.gateway.forgets = 'close';
    set.networkOf('plant-1').lose(one.self);
    await pass(set, 120_000);
    expect(posts.gateway.forgot).toBe(1);
    expect(await waits).toBe('OUTCOME_UNKNOWN');
  });

  it('is asked again of those beyond the gateway, or ends with it', async () => {
    const { set, g1, posts, one } = await stage();
    const nobody = one.group.ref({ cluster: 'company', group: 'ledgers', machine: 'nobody' });
    const codeOf = (work: Promise<unknown>) => work.catch(({ code }: { code: string }) => code);
    posts.gateway.forgets = 'ask';
    const first = codeOf(nobody.send({ type: 'ADD' }));
    await pass(set, 60_000);
    expect([posts.gateway.forgot, await first]).toEqual([1, 'UNKNOWN_MACHINE']);
    posts.gateway.forgets = 'ask';
    const second = codeOf(nobody.send({ type: 'ADD' }));
    await turns();
    expect(posts.gateway.forgot).toBe(2);
    await g1.release();
    expect(['CLUSTER_UNREACHABLE', 'PEER_LOST']).toContain(await second);
  });

  it('leaves no process for good without the greeting of a gateway', async () => {
    const { set, posts, one } = await stage();
    posts.gateway.forgets = 'greeting';
    const late = await set.join('company', 'late');
    await late.group.spawn(ledger, { id: 'other' });
    await pass(set, 10_000);
    expect(posts.gateway.forgot).toBe(1);
    const other = one.group.ref({ cluster: 'company', group: 'ledgers', machine: 'other' });
    const first = other.send({ type: 'ADD', entry: 'first' }).catch(({ code }: { code: string }) => code);
    await pass(set, 60_000);
    expect(await first).toBe('OUTCOME_UNKNOWN');
    await other.send({ type: 'ADD', entry: 'second' });
    expect(await entriesAt(other)).toEqual(['second']);
  });

  it('is answered by a process that has no greeting of the gateway', async () => {
    const { set, posts, one } = await stage();
    posts.gateway.forgets = 'greeting';
    await set.join('company', 'late');
    await pass(set, 10_000);
    expect(posts.gateway.forgot).toBe(1);
    const nobody = one.group.ref({ cluster: 'company', group: 'ledgers', machine: 'nobody' });
    const sent = nobody.send({ type: 'ADD' }).catch(({ code }: { code: string }) => code);
    await pass(set, 60_000);
    expect(await sent).toBe('UNKNOWN_MACHINE');
  });

  it('makes a gateway that was sent to as a member of the cluster take its place anew', async () => {
    const { set, posts, far, there } = await stage();
    posts.far.forgets = 'link';
    const heard = far.group.broadcast('ledgers', { type: 'ADD', entry: 'all' });
    await pass(set, 60_000);
    expect(posts.far.forgot).toBe(1);
    expect(await heard).toBe(1);
    expect(await far.group.broadcast('ledgers', { type: 'ADD', entry: 'again' })).toBe(1);
    await there.send({ type: 'ADD', entry: 'after' });
    expect(await entriesAt(there)).toEqual(['after']);
  });
});
