import { run } from '@nestjs-orchestrator/cli';

/** Runs a command of `orchestrator` in this process: its exit code, what it printed, and what it said of errors. */
export async function orchestrator(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number; readonly out: string; readonly error: string }> {
  let [out, error] = ['', ''];
  const code = await run(args, {
    env,
    cwd: import.meta.dirname,
    out: (text) => void (out += text),
    error: (text) => void (error += text),
  });
  return { code, out, error };
}
