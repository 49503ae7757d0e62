import { type ChannelGroup, createOrchestrator, type SpawnOptions } from '@nestjs-orchestrator/core';
import { memoryNetwork, memoryTransport } from '@nestjs-orchestrator/core/memory';
import type { Endpoint, FrameReceiver, Transport } from '@nestjs-orchestrator/core/ports';
import { type FamilyOptions, orchestratorFamilyConformance } from '@nestjs-orchestrator/testing';
import { describe, expect, it } from 'vitest';

/** What an orchestrator does wrong, or its transport. */
interface Fault {
  readonly group?: (group: ChannelGroup) => object;
  readonly receiver?: (receiver: FrameReceiver) => FrameReceiver;
  readonly options?: Partial<FamilyOptions>;
}

function withMethods<T extends object>(of: T, methods: object): T {
  return new Proxy(of, {
    get: (target, name) => {
      const value: unknown = Reflect.get(methods, name) ?? Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** The cases in which an orchestrator with this fault is found out. */
async function failures({ group: faulty, receiver, options }: Fault): Promise<readonly string[]> {
  const cases = orchestratorFamilyConformance(
    {
      patienceMs: 150,
      async open() {
        const inner = memoryTransport(memoryNetwork());
        const transport: Transport = {
          type: 'memory',
          join: (where, heard) => inner.join(where, receiver?.(heard) ?? heard),
        };
        return {
          async create(wished) {
            const group = await createOrchestrator({
              ...wished,
              ...options,
              type: 'memory',
              transports: { memory: transport },
            });
            return faulty === undefined ? group : withMethods(group, faulty(group));
          },
          async close() {},
        };
      },
    },
    {},
  );
  const found: string[] = [];
  for (const { name, run } of cases) await run().catch(() => found.push(name));
  return found;
}

let frames = 0;

const faults: readonly { readonly what: string; readonly found: string; readonly fault: Fault }[] = [
  {
    what: 'broadcasts to its own process only',
    found: 'broadcasts to all machines',
    fault: {
      group: (group) => ({
        broadcast: async (event: never) => {
          for (const machine of group.machines()) await machine.send(event);
          return group.machines().length;
        },
      }),
    },
  },
  {
    what: 'claims no ids',
    found: 'holds ids unique',
    fault: {
      group: (group) => ({
        spawn: (machine: never, options: SpawnOptions) => group.spawn(machine, { ...options, local: true }),
      }),
    },
  },
  {
    what: 'takes what there is no room for',
    found: 'sends events to a machine',
    fault: {
      options: { maxUnaccepted: 1 },
      group: (group) => ({
        ref: (...target: [never]) => {
          const ref = group.ref(...target);
          return withMethods(ref, { trySend: (event: never) => ref.trySend(event) || true });
        },
      }),
    },
  },
  {
    what: 'tells nobody who comes and goes',
    found: 'tells of those that come and go',
    fault: { receiver: (to) => ({ onFrame: (from, frame) => to.onFrame(from, frame), onPeer() {} }) },
  },
  {
    what: 'loses a frame now and then',
    found: 'keeps the order of each of several senders',
    fault: {
      receiver: (to) => ({
        onFrame: (from: Endpoint, frame) => ((frames += 1) % 40 === 0 ? undefined : to.onFrame(from, frame)),
        onPeer: (peer) => to.onPeer(peer),
      }),
    },
  },
  {
    what: 'finds nobody',
    found: 'does not know machines that are not there',
    fault: { group: () => ({ locate: async () => undefined }) },
  },
];

describe('the conformance suite of the orchestrator family', () => {
  it.each(faults)('finds one out that $what', async ({ fault, found }) => {
    expect((await failures(fault)).join('\n')).toContain(found);
  });
});
