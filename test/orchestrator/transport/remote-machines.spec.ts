import {
  createOrchestrator,
  defineMachine,
  DuplicateIdError,
  MachineStoppedError,
  RemoteMachineError,
  RequestTimeoutError,
  StepError,
  UnknownMachineError,
} from '@nestjs-orchestrator/core';
import { memoryNetwork, memoryTransport } from '@nestjs-orchestrator/core/memory';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nextRecord, rejection } from '../support.js';
import { entriesAt, entriesOf, ledger, stage, upTo } from './support.js';

describe('a machine in another process', () => {
  it('takes events, in order, and shows its state', async () => {
    const { join } = stage();
    const [one, two] = [await join('one'), await join('two')];
    await two.group.spawn(ledger, { id: 'books' });
    const ref = one.group.ref(ledger, 'books');
    for (const entry of upTo(500)) await ref.send({ type: 'ADD', entry });
    expect(await entriesAt(ref)).toEqual(upTo(500));
    expect(one.group.stats().cluster).toMatchObject({ endpoint: 'one', waiting: 0 });
  });

  it('answers requests with reply and snapshot', async () => {
    const { join } = stage();
    const [one, two] = [await join('one'), await join('two')];
    await two.group.spawn(ledger, { id: 'books' });
    const ref = one.group.ref('books');
    await ref.send({ type: 'ADD', entry: 1 });
    const result = await ref.request({ type: 'COUNT' });
    expect([result.changed, result.reply]).toEqual([true, 1]);
    expect(entriesOf(result.snapshot)).toEqual([1]);
    const ignored = await ref.request({ type: 'END' });
    expect(ignored.changed).toBe(false);
  });

  it('gives its failures back as they were thrown', async () => {
    const { join } = stage();
    const [one, two] = [await join('one'), await join('two')];
    await two.group.spawn(ledger, { id: 'books' });
    const error = await rejection(one.group.ref('books').request({ type: 'FAIL' }));
    expect(error).toBeInstanceOf(StepError);
    expect(error).toMatchObject({ code: 'STEP_FAILED', machine: 'books', event: 'FAIL', action: 'fail' });
    expect((error.cause as Error).message).toBe('as it was told');
  });

  it('is waited for by the name of a state', async () => {
    const { join } = stage();
    const [one, two] = [await join('one'), await join('two')];
    await two.group.spawn(ledger, { id: 'books' });
    const ref = one.group.ref(ledger, 'books');
    const closed = ref.waitFor('closed');
    await ref.send({ type: 'CLOSE' });
    expect((await closed).status).toBe('active');
    expect(await rejection(ref.waitFor(() => true))).toBeInstanceOf(RemoteMachineError);
  });

  it('is stopped, and is unknown afterwards', async () => {
    const { join } = stage();
    const [one, two] = [await join('one'), await join('two')];
    await two.group.spawn(ledger, { id: 'books' });
    const ref = one.group.ref('books');
    await Promise.all([ref.stop(), ref.stop()]);
    await ref.stop();
    expect(two.group.machines()).toEqual([]);
    expect(await rejection(ref.send({ type: 'COUNT' }))).toBeInstanceOf(UnknownMachineError);
    expect(await one.group.locate('books')).toBeUndefined();
  });

  it('has a name of as many bytes as fit, counted in UTF-8, and says how many too many have', async () => {
    const { join } = stage();
    const one = await join('one');
    const fits = 'ü'.repeat(127) + 'x';
    await one.group.spawn(ledger, { id: fits });
    expect(await one.group.machineNames()).toMatchObject([{ id: fits }]);
    expect(await rejection(one.group.spawn(ledger, { id: `${fits}x` }))).toMatchObject({
      code: 'NAME_INVALID',
      message: expect.stringMatching(/1 to 255 bytes; 'ü.*' has 256\./) as string,
    });
    expect(one.group.machines().map(({ id }) => id)).toEqual([fits]);
  });

  it('is in a group of any name, also one that is cut in the middle of a character', async () => {
    const transports = { memory: memoryTransport(memoryNetwork()) };
    const name = `${'x'.repeat(59)}🙂`;
    const group = await createOrchestrator({ name, type: 'memory', transports });
    onTestFinished(() => group.release());
    expect(group.processes()[0]?.endpoint).toMatch(/^x{59}-[-0-9a-f]{36}$/);
    const half = rejection(createOrchestrator({ name: 'half a \ud83d', type: 'memory', transports }));
    expect(await half).toMatchObject({ code: 'ORCHESTRATOR_OPTION', option: 'name' });
  });

  it('keeps what has no answer here: snapshot() and machine say what to do instead', async () => {
    const { join } = stage();
    const [one, two] = [await join('one'), await join('two')];
    await two.group.spawn(ledger, { id: 'books' });
    const ref = one.group.ref('books');
    expect(() => ref.snapshot()).toThrow(RemoteMachineError);
    expect(() => ref.machine).toThrow(RemoteMachineError);
    expect(one.group.ref(ledger, 'books').machine).toBe(ledger);
    expect([ref.id, ref.scopedId]).toEqual(['books', 'test/ledgers/books']);
  });

  it('of a definition that is not registered here answers, and shows its state to who has the definition', async () => {
    const { join } = stage();
    const [one, two] = [await join('one'), await join('two')];
    const lamp = defineMachine({ id: 'lamp', initial: 'off', states: { off: { on: { ON: 'on' } }, on: {} } });
    two.group.register(lamp);
    await two.group.spawn(lamp, { id: 'hall' });
    expect(await one.group.ref('hall').request({ type: 'ON' })).toMatchObject({ changed: true });
    expect(await rejection(one.group.ref('hall').currentSnapshot())).toMatchObject({
      code: 'UNKNOWN_MACHINE',
      message: expect.stringContaining('ref(definition, id)') as string,
    });
    expect((await one.group.ref(lamp, 'hall').currentSnapshot()).configuration.toJSON()).toEqual(['lamp.on']);
  });

  it('is found again where it was started anew', async () => {
    const { join } = stage();
    const [one, two, three] = [await join('one'), await join('two'), await join('three')];
    const first = await two.group.spawn(ledger, { id: 'books' });
    const ref = one.group.ref('books');
    await ref.send({ type: 'ADD', entry: 'at two' });
    await first.stop();
    await three.group.spawn(ledger, { id: 'books' });
    expect(await rejection(ref.send({ type: 'ADD', entry: 'lost' }))).toBeInstanceOf(UnknownMachineError);
    await ref.send({ type: 'ADD', entry: 'at three' });
    expect(await entriesAt(ref)).toEqual(['at three']);
  });

  it('has an id that no other process can take', async () => {
    const { join } = stage();
    const [one, two] = [await join('one'), await join('two')];
    await two.group.spawn(ledger, { id: 'books' });
    expect(await rejection(one.group.spawn(ledger, { id: 'books' }))).toBeInstanceOf(DuplicateIdError);
    expect(one.group.machines()).toEqual([]);
    await two.group.ref('books').stop();
    await one.group.spawn(ledger, { id: 'books' });
    expect(await two.group.machineNames()).toEqual([
      { group: 'ledgers', id: 'books', definition: 'ledger', endpoint: 'one' },
    ]);
  });

  it('gets another id where nobody has chosen one and it is taken', async () => {
    const { join } = stage();
    const [one, two] = [await join('one'), await join('two')];
    const [a, b] = [await one.group.spawn(ledger), await two.group.spawn(ledger)];
    expect(a.id).not.toBe(b.id);
    await one.group.ref(b.id).send({ type: 'ADD', entry: 1 });
    expect(await entriesAt(one.group.ref(b.id))).toEqual([1]);
  });

  it('is not found where it was spawned as local', async () => {
    const { join } = stage();
    const [one, two] = [await join('one'), await join('two')];
    await two.group.spawn(ledger, { id: 'books', local: true });
    await one.group.spawn(ledger, { id: 'books', local: true });
    expect(await one.group.machineNames()).toEqual([]);
    await two.group.ref('books').send({ type: 'ADD', entry: 1 });
    expect(await entriesAt(two.group.ref('books'))).toEqual([1]);
    expect(await entriesAt(one.group.ref('books'))).toEqual([]);
  });

  it('is addressed by cluster, group and id, from another group that it admits', async () => {
    const { join } = stage();
    const two = await join('two', { reachableFrom: ['others'] });
    const one = await join('one', { name: 'others' });
    const three = await join('three', { name: 'strangers' });
    // A second group of that name in this process: a name that is not clear here is sought in the cluster.
    await join('four');
    await two.group.spawn(ledger, { id: 'books' });
    const address = { cluster: 'test', group: 'ledgers', machine: 'books' };
    await one.group.ref(address).send({ type: 'ADD', entry: 1 });
    const refused = await rejection(three.group.ref(address).send({ type: 'ADD', entry: 2 }));
    expect(refused).toMatchObject({ code: 'GROUP_UNREACHABLE', reason: 'not-allowed' });
    expect(await entriesAt(two.group.ref('books'))).toEqual([1]);
  });

  it('takes what an adopted step sends, after the step, in order', async () => {
    const { join } = stage();
    const [one, two] = [await join('one'), await join('two')];
    await two.group.spawn(ledger, { id: 'books' });
    const clerk = await one.group.spawn(ledger, { id: 'clerk' });
    await clerk.request({ type: 'TELL', to: 'books', entries: upTo(300) });
    const ref = one.group.ref('books');
    await ref.request({ type: 'COUNT' });
    expect(await entriesAt(ref)).toEqual(upTo(300));
  });

  it('answers what an action asks of it', async () => {
    const { join } = stage();
    const [one, two] = [await join('one'), await join('two')];
    const books = await two.group.spawn(ledger, { id: 'books' });
    await books.send({ type: 'ADD', entry: 1 });
    const clerk = await one.group.spawn(ledger, { id: 'clerk' });
    expect((await clerk.request({ type: 'QUESTION', to: 'books' })).reply).toBe(1);
  });

  it('ends a circle of questions over processes by time', async () => {
    const { join } = stage();
    const clock = new VirtualClock();
    const one = await join('one', { clock, requestTimeoutMs: 30 });
    const two = await join('two', { clock });
    await one.group.spawn(ledger, { id: 'a' });
    await two.group.spawn(ledger, { id: 'b' });
    const error = await rejection(one.group.ref('a').request({ type: 'QUESTION', to: 'a' }));
    expect((error.cause as Error | undefined)?.name).toBe('RequestCycleError');
    const held = two.group.ref('b').request({ type: 'HOLD' });
    await two.hands.holding.opened;
    const late = rejection(one.group.ref('a').request({ type: 'QUESTION', to: 'b' }, { timeoutMs: 5_000 }));
    await clock.advance(30);
    expect(await late).toBeInstanceOf(StepError);
    expect((await late).cause).toMatchObject({ name: 'RequestTimeoutError' });
    two.hands.hold.open();
    await held;
  });

  it('reports what a step sends to nobody', async () => {
    const { join } = stage();
    const one = await join('one');
    const failure = nextRecord(one.group, 'failure');
    const clerk = await one.group.spawn(ledger, { id: 'clerk' });
    await clerk.request({ type: 'TELL', to: 'nobody', entries: [1] });
    expect(await failure).toMatchObject({ kind: 'undeliverable', machine: { id: 'clerk' } });
    expect((await failure).error).toBeInstanceOf(UnknownMachineError);
  });

  it('is reached by a broadcast to all processes', async () => {
    const { join } = stage();
    const [one, two, three] = [await join('one'), await join('two'), await join('three')];
    await one.group.spawn(ledger, { id: 'a' });
    await two.group.spawn(ledger, { id: 'b' });
    await two.group.spawn(ledger, { id: 'c', local: true });
    expect(await three.group.broadcast({ type: 'ADD', entry: 'all' })).toBe(3);
    expect(await entriesAt(three.group.ref('a'))).toEqual(['all']);
  });

  it('is reached by a broadcast also while another process is shutting down, which is left out', async () => {
    const { join } = stage();
    const [one, two, three] = [await join('one'), await join('two'), await join('three')];
    for (const [id, { group }] of Object.entries({ a: one, b: two })) await group.spawn(ledger, { id });
    await three.group.broadcast({ type: 'COUNT' });
    const released = two.group.release();
    expect(await three.group.broadcast({ type: 'ADD', entry: 'all that are left' })).toBe(1);
    await released;
    expect(await entriesAt(three.group.ref('a'))).toEqual(['all that are left']);
    const ended = three.group.release();
    expect(await rejection(three.group.broadcast({ type: 'COUNT' }))).toMatchObject({
      code: 'GROUP_RELEASED',
    });
    await ended;
  });

  it('sends nothing through the transport where the machine is in the same process', async () => {
    const { join } = stage();
    const [one, two] = [await join('one'), await join('two')];
    await one.group.spawn(ledger, { id: 'books' });
    const clerk = await one.group.spawn(ledger, { id: 'clerk' });
    const ref = one.group.ref({ cluster: 'test', group: 'ledgers', machine: 'books' });
    await ref.send({ type: 'ADD', entry: 1 });
    expect(ref.trySend({ type: 'ADD', entry: 2 })).toBe(true);
    expect((await ref.request({ type: 'COUNT' })).reply).toBe(2);
    await clerk.request({ type: 'TELL', to: 'books', entries: [3] });
    await clerk.request({ type: 'QUESTION', to: 'books' });
    expect([one.frames.length, two.frames.length]).toEqual([0, 0]);
  });

  it('refuses events once its group is released', async () => {
    const { join } = stage();
    const [one, two] = [await join('one'), await join('two')];
    await two.group.spawn(ledger, { id: 'books' });
    const ref = one.group.ref('books');
    await ref.send({ type: 'ADD', entry: 1 });
    await one.group.release();
    expect(await rejection(ref.send({ type: 'ADD', entry: 2 }))).toMatchObject({ code: 'GROUP_RELEASED' });
    expect(two.group.processes().map(({ endpoint }) => endpoint)).toEqual(['two']);
  });

  it('gives a request up in time, and takes the event back where it has not begun', async () => {
    const { join } = stage();
    const clock = new VirtualClock();
    const [one, two] = [await join('one', { clock }), await join('two', { clock })];
    await two.group.spawn(ledger, { id: 'books' });
    const ref = one.group.ref('books');
    const held = ref.request({ type: 'HOLD' });
    await two.hands.holding.opened;
    const late = rejection(ref.request({ type: 'ADD', entry: 'late' }, { timeoutMs: 5 }));
    await clock.advance(5);
    expect(await late).toBeInstanceOf(RequestTimeoutError);
    const abort = new AbortController();
    const aborted = rejection(ref.request({ type: 'ADD', entry: 'aborted' }, { signal: abort.signal }));
    const reason = new Error('given up');
    abort.abort(reason);
    expect(await aborted).toBe(reason);
    two.hands.hold.open();
    await held;
    await ref.send({ type: 'ADD', entry: 'kept' });
    expect(entriesOf((await ref.request({ type: 'COUNT' })).snapshot)).toEqual(['kept']);
  });

  it('says that it was stopped to those whose events it will not handle', async () => {
    const { join } = stage();
    const [one, two] = [await join('one'), await join('two')];
    const books = await two.group.spawn(ledger, { id: 'books' });
    const undelivered = nextRecord(one.group, 'undelivered');
    const ref = one.group.ref('books');
    const held = rejection(ref.request({ type: 'HOLD' }));
    await two.hands.holding.opened;
    await ref.send({ type: 'ADD', entry: 1 });
    two.hands.hold.open();
    void books.stop();
    expect(await held).toBeInstanceOf(MachineStoppedError);
    expect(await undelivered).toMatchObject({ to: 'test/ledgers/books', event: { type: 'ADD', entry: 1 } });
  });
});
