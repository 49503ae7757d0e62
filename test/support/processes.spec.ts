import { expect, it } from 'vitest';
import { startProcess } from './processes.js';

it('messages that a process sends at once come one after the other, also those that are asked for after its end', async () => {
  const words = Array.from({ length: 20 }, (_, n) => `word ${n}`);
  const talker = startProcess(import.meta.url, './talker.process.ts', words);
  const heard = [await talker.next()];
  expect(await talker.ended).toBe(0);
  while (heard.length < words.length) heard.push(await talker.next());
  expect(heard).toEqual(words);
  await expect(talker.next()).rejects.toThrow('sends nothing more (exit code 0)');
});

it('whoever waits for a message of a process that dies is told', async () => {
  const talker = startProcess(import.meta.url, './talker.process.ts', []);
  await expect(talker.next()).rejects.toThrow('sends nothing more');
});
