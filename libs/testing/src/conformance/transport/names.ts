import { NameInvalidError, NameTakenError, RegistryFullError } from '@nestjs-orchestrator/core';
import { equal, has, holds, rejection } from '../checks.js';
import { numbered } from './post.js';
import { acquainted, type Draft, type Member } from './scene.js';

const RACES = 20;
const NEWCOMERS = 6;

async function sortedNames({ seat }: Member): Promise<string[]> {
  return (await seat.names()).map(({ name, endpoint }) => `${name} ${endpoint.name}`).sort();
}

export const names: readonly Draft[] = [
  {
    name: 'finds a name at its holder, from everywhere, with what the holder said about it',
    async play(scene) {
      const [one, two] = await scene.pair();
      await one.seat.claim('billing/order-1', 'order');
      for (const { seat } of [one, two]) {
        const found = await seat.locate('billing/order-1');
        has(found ?? {}, { name: 'billing/order-1', about: 'order' }, 'the entry');
        equal(found?.endpoint.incarnation, one.seat.self.incarnation, 'its holder');
      }
      equal(await two.seat.locate('billing/order-2'), undefined, 'a name that nobody holds');
    },
  },
  {
    name: 'knows whoever a name tells of: the holder is a peer, and takes frames, before anything else was heard of it',
    async play(scene) {
      const asker = await scene.join('asker');
      for (let n = 0; n < NEWCOMERS; n += 1) {
        const { seat, post } = await scene.join(`newcomer-${n}`);
        await seat.claim(`name-${n}`, '');
        const entries = n % 2 === 0 ? await asker.seat.names() : [await asker.seat.locate(`name-${n}`)];
        const holder = entries.find((entry) => entry?.name === `name-${n}`)?.endpoint;
        equal(holder?.incarnation, seat.self.incarnation, `the holder of 'name-${n}'`);
        const known = asker.seat.peers().map(({ endpoint }) => endpoint.incarnation);
        holds(known.includes(seat.self.incarnation), `the holder of 'name-${n}' is a peer`);
        await asker.seat.send(seat.self, numbered(n));
        await post.frames('asker', 1);
        equal(post.numbersFrom('asker'), [n], `what came in at the holder of 'name-${n}'`);
      }
    },
  },
  {
    name: 'lists the names of all endpoints, also those with letters beyond ASCII',
    async play(scene) {
      const [one, two] = await scene.pair();
      await one.seat.claim('tür/ä-1', 'größe');
      await two.seat.claim('b', '');
      equal(await sortedNames(one), ['b two', 'tür/ä-1 one'], 'the names as the first sees them');
      equal(await sortedNames(two), ['b two', 'tür/ä-1 one'], 'the names as the second sees them');
    },
  },
  {
    name: 'refuses a name that is held, naming the holder',
    async play(scene) {
      const [one, two] = await scene.pair();
      await one.seat.claim('a-name', '');
      const error = await rejection(() => two.seat.claim('a-name', ''), 'a claim of a name that is held');
      holds(error instanceof NameTakenError, `NameTakenError, not ${String(error)}`);
      equal([error.taken, error.holder], ['a-name', 'one'], 'the name and its holder in the error');
      equal((await two.seat.locate('a-name'))?.endpoint.name, 'one', 'the holder');
    },
  },
  {
    name: 'frees a name that is given back; one that is not one’s own stays',
    async play(scene) {
      const [one, two] = await scene.pair();
      await one.seat.claim('a-name', '');
      await two.seat.unclaim('a-name');
      equal((await two.seat.locate('a-name'))?.endpoint.name, 'one', 'after another one gave it back');
      await one.seat.unclaim('a-name');
      await one.seat.unclaim('never-claimed');
      equal(await two.seat.locate('a-name'), undefined, 'after its holder gave it back');
      await two.seat.claim('a-name', 'again');
      equal((await one.seat.locate('a-name'))?.about, 'again', 'after it was taken again');
    },
  },
  {
    name: 'gives a name to one of those that claim it at the same time',
    async play(scene) {
      const [one, two] = await scene.pair();
      const three = await scene.join('three');
      await acquainted(one, two, three);
      const all = [one, two, three];
      for (let race = 0; race < RACES; race += 1) {
        const claims = await Promise.allSettled(all.map(({ seat }) => seat.claim(`race-${race}`, '')));
        const won = all.filter((_, at) => claims[at]?.status === 'fulfilled');
        equal(won.length, 1, `winners of the claim of 'race-${race}'`);
        const holder = (await two.seat.locate(`race-${race}`))?.endpoint.name;
        equal(holder, won[0]?.seat.self.name, 'the holder');
      }
    },
  },
  {
    name: 'refuses empty names, and names that are too long, and leaves nothing behind',
    async play(scene) {
      const one = await scene.join('one');
      for (const name of ['', 'x'.repeat(5_000), 'ä'.repeat(2_500)]) {
        const error = await rejection(() => one.seat.claim(name, ''), `a claim of ${name.length} characters`);
        holds(error instanceof NameInvalidError, `NameInvalidError, not ${String(error)}`);
      }
      equal(await sortedNames(one), [], 'the names');
    },
  },
];

const SMALL = { endpoints: 2, names: 3 };

/** Left out where registries have no limit. */
export const registries: readonly Draft[] = [
  {
    name: 'refuses a name above the places that there are, until one is free again',
    small: SMALL,
    async play(scene) {
      const one = await scene.join('one');
      for (let n = 0; n < SMALL.names; n += 1) await one.seat.claim(`name-${n}`, '');
      const error = await rejection(() => one.seat.claim('too-many', ''), 'a claim above the limit');
      holds(error instanceof RegistryFullError, `RegistryFullError, not ${String(error)}`);
      equal([error.registry, error.places], ['names', SMALL.names], 'what the error says');
      equal(await one.seat.locate('too-many'), undefined, 'the name that was refused');
      await one.seat.unclaim('name-0');
      await one.seat.claim('too-many', '');
      equal((await one.seat.names()).length, SMALL.names, 'the names');
    },
  },
  {
    name: 'refuses an endpoint above the places that there are, until one is free again',
    small: SMALL,
    async play(scene) {
      const [one, two] = await scene.pair();
      const error = await rejection(() => scene.join('three'), 'an endpoint above the limit');
      holds(error instanceof RegistryFullError, `RegistryFullError, not ${String(error)}`);
      equal([error.registry, error.places], ['endpoints', SMALL.endpoints], 'what the error says');
      await two.seat.leave();
      await one.post.peer(two.seat.self, 'lost');
      const three = await scene.join('three');
      await acquainted(one, three);
      await one.seat.send(three.seat.self, numbered(1));
      await three.post.frames('one', 1);
      equal(three.post.numbersFrom('one'), [1], 'what came in at the new one');
    },
  },
];
