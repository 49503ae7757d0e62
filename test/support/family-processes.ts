import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { FamilyProcess } from '@nestjs-orchestrator/testing';
import { afterAll } from 'vitest';
import { forkTypeScript } from './processes.js';

/**
 * Starts processes for the suite of the orchestrator family; those that it has not killed end after the last test of the file.
 *
 * @param killed what is to be done about a process that the suite has killed, so that the others know of it
 */
export function familyProcesses(
  base: string,
  file: string,
  argument: unknown,
  killed: (pid: number) => Promise<void> = () => Promise.resolve(),
): () => FamilyProcess {
  const children = new Set<ChildProcess>();
  const end = async (child: ChildProcess): Promise<void> => {
    if (!children.delete(child) || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  afterAll(async () => void (await Promise.all([...children].map(end))));
  return () => {
    const child = forkTypeScript(base, file, argument);
    children.add(child);
    return {
      post: (message) => void child.send(message as object),
      listen: (listener) => void child.on('message', listener),
      kill: async () => {
        await end(child);
        await killed(child.pid ?? 0);
      },
    };
  };
}
