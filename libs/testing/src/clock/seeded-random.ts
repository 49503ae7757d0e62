import type { Random } from '@nestjs-orchestrator/core/ports';

const WARM_UP_ROUNDS = 12;
const UINT32 = 2 ** 32;

/**
 * Random numbers that a seed fixes: sfc32 by Chris Doty-Humphrey, of his test suite PractRand (pracrand.sourceforge.net, public
 * domain), seeded as there with 64 bits. Neighbouring seeds give unrelated series, which mulberry32 does not promise.
 *
 * @param seed a non-negative safe integer; print it when a test fails, and the failure comes again
 */
export function seededRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(`The seed ${seed} is not a non-negative safe integer.`);
  }
  let [a, b, c, counter] = [0, seed | 0, Math.floor(seed / UINT32) | 0, 1];
  const round = (): number => {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let n = 0; n < WARM_UP_ROUNDS; n += 1) round();
  return { next: () => round() / UINT32 };
}
