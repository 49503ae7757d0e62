const seconds = Number(process.env['FAULT_DOWN'] ?? 0);

/** How long a server stays away, for a title. */
export const outage = seconds === 0 ? 'for a moment' : `for ${seconds} s`;

/** Settles when a server that was killed has been away for as long as `npm run test:fault -- --down SECONDS` says; by default at once. */
export function staysAway(): Promise<void> {
  if (seconds === 0) return Promise.resolve();
  return new Promise((resolve) => void setTimeout(resolve, seconds * 1_000));
}
