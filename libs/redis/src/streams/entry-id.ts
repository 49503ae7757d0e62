/** Before all entries of a stream. */
export const BEGINNING = '0-0';

/** The smallest id above another one. */
export function after(id: string): string {
  const dash = id.indexOf('-');
  return `${id.slice(0, dash)}-${BigInt(id.slice(dash + 1)) + 1n}`;
}

/** Whether an id of a stream comes before another one. */
export function isBefore(a: string, b: string): boolean {
  const [time = '', number = ''] = a.split('-');
  const [otherTime = '', otherNumber = ''] = b.split('-');
  if (time !== otherTime) return Number(time) < Number(otherTime);
  return Number(number) < Number(otherNumber);
}
