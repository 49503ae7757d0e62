/** What the generated names mean, in words that both engines share: their creators are passed in. */
export interface Creators {
  assign(assignment: (args: Args, params: never) => object): unknown;
  enqueueActions(collect: (args: EnqueueArgs, params: never) => void): unknown;
}

interface Args {
  context: Record<string, number>;
  event: { type: string; n?: number };
}

interface EnqueueArgs extends Args {
  enqueue: ((action: unknown) => void) & {
    assign(assignment: object): void;
    raise(event: { type: string }): void;
  };
  check(guard: unknown): boolean;
}

export function guards(): Record<string, (args: Args, params: { key: string; min: number }) => boolean> {
  return {
    xIsOdd: ({ context }) => (context['x'] ?? 0) % 2 === 1,
    eventIsOdd: ({ event }) => (event.n ?? 0) % 2 === 1,
    eventIsA: ({ event }) => event.type === 'A',
    atLeast: ({ context }, { key, min }) => (context[key] ?? 0) >= min,
  };
}

export function actions({ assign, enqueueActions }: Creators): Record<string, unknown> {
  return {
    add: assign(({ context }, { key, by }: { key: string; by: number }) => ({
      [key]: ((context[key] ?? 0) + by) % 9,
    })),
    copyEvent: assign(({ event }) => ({ y: event.n ?? 0 })),
    enqueue: enqueueActions(({ context, enqueue, check }, { key, label }: { key: string; label: number }) => {
      enqueue(`queued${label}`);
      if (check('xIsOdd')) enqueue.raise({ type: 'R1' });
      enqueue.assign({ [key]: ((context['x'] ?? 0) + 1) % 7 });
      enqueue({ type: 'after', params: { label } });
    }),
  };
}

export const delays = {
  short: 3,
  computed: ({ context }: Args): number => Math.abs(context['x'] ?? 0) * 10 + 10,
};

/** Expressions of generated configs. */
export function expression(value: unknown): unknown {
  const type = (value as { type?: unknown } | undefined)?.type;
  if (type === 'input') return ({ context, event }: Args) => ({ x: context['x'], of: event.type });
  if (type === 'part') return ({ context }: Args) => ({ part: context['x'] });
  if (type === 'whole')
    return ({ context, event }: Args & { event: { output?: unknown } }) => ({
      y: context['y'],
      of: event.type,
      by: event.output,
    });
  return value;
}
