import 'reflect-metadata';

// Payment as a process of its own: `npm start -- --payments=named-pipe` starts it beside the orders; PAYMENTS and POSTGRES_URL start it alone.
async function main(): Promise<void> {
  let explain = (error: unknown): string => (error instanceof Error ? error.message : String(error));
  try {
    ({ explain } = await import('./startup/failure.js'));
    const { startPayments } = await import('./startup/start-payments.js');
    await startPayments();
  } catch (error) {
    process.stderr.write(`\nPayments: ${explain(error)}\n`);
    process.exitCode = 1;
    // The channel to the parent would keep it alive.
    if (process.connected) process.disconnect();
  }
}

void main();
