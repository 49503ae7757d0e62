/** What slowed `await`s call, see `slow-awaits.ts`. */
const later = globalThis.setTimeout;

async function slow(ms: number, awaited: unknown): Promise<unknown> {
  try {
    return await awaited;
  } finally {
    await new Promise<void>((resolve) => later(resolve, ms * Math.random()));
  }
}

Object.assign(globalThis, { __slow: slow });
