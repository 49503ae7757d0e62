import 'reflect-metadata';

// Imported here, so that a wrong setting, which shows while classes are defined, is told as clearly as any other failure.
async function main(): Promise<void> {
  const { explain } = await import('./startup/failure.js').catch(() => ({ explain: String }));
  try {
    const { start } = await import('./startup/start.js');
    await start();
  } catch (error) {
    process.stderr.write(`\n${explain(error)}\n`);
    process.exitCode = 1;
  }
}

void main();
