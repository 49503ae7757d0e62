/** A length of time: `'500ms'`, `'30s'`, `'15m'`, `'24h'`, `'7d'`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Milliseconds of a duration; numbers are milliseconds already.
 *
 * @throws TypeError for anything that isn't a finite, non-negative length
 */
export function milliseconds(duration: Duration | number): number {
  if (typeof duration === 'number') {
    if (Number.isFinite(duration) && duration >= 0) return duration;
  } else {
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration);
    if (match !== null) return Number(match[1]) * (UNITS[match[2] as string] as number);
  }
  throw new TypeError(
    `'${duration}' is not a duration. Write a number with a unit, for example '500ms', '30s' or '24h'.`,
  );
}
