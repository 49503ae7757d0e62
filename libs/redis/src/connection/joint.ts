import { mapped } from './unavailable.js';
import { type Call, type Script, script } from './script.js';

/** Runs of one script that go to the server as one; each of them does what it would do alone, and fails alone. */
const MOST_PARTS = 64;
/** Bytes above which another call begins: while it runs, the server does nothing else. */
const MOST_WEIGHT = 1_048_576;

interface Part {
  readonly place: number;
  readonly call: Call;
}

/** Calls as they are sent, and how their answers are those of the original ones. */
export interface Joint {
  readonly calls: readonly Call[];
  answersOf(answers: readonly unknown[]): readonly unknown[];
}

/**
 * Puts calls of scripts together that say they may be: a call costs the server several times what a short script does in it.
 *
 * @param slotOf calls with another value don't go together
 */
export function joint(calls: readonly Call[], slotOf: (call: Call) => string): Joint {
  const groups: Part[][] = [];
  const open = new Map<string, { parts: Part[]; weight: number }>();
  calls.forEach((call, place) => {
    const { joint: together } = call.script;
    const weight = call.weight ?? 0;
    const key = together === undefined ? '' : `${together.sha} ${slotOf(call)}`;
    const group = open.get(key);
    const fits =
      key !== '' &&
      group !== undefined &&
      group.parts.length < MOST_PARTS &&
      group.weight + weight <= MOST_WEIGHT;
    if (fits) {
      group.parts.push({ place, call });
      group.weight += weight;
      return;
    }
    const parts = [{ place, call }];
    groups.push(parts);
    if (key !== '') open.set(key, { parts, weight });
  });
  return {
    calls: groups.map(together),
    answersOf(answers) {
      const all: unknown[] = calls.map(() => undefined);
      groups.forEach((parts, at) => {
        const answer = answers[at];
        parts.forEach(({ place }, n) => (all[place] = answerOf(answer, parts.length, n)));
      });
      return all;
    },
  };
}

function together(parts: readonly Part[]): Call {
  const [first] = parts as readonly [Part];
  const { joint: many } = first.call.script;
  if (parts.length === 1 || many === undefined) return first.call;
  const keys: string[] = [];
  const args: (string | number | Buffer)[] = [parts.length];
  for (const { call } of parts) {
    keys.push(...call.keys);
    args.push(call.keys.length, call.args.length);
    for (const arg of call.args) args.push(arg);
  }
  return { script: many, keys, args };
}

function answerOf(answer: unknown, parts: number, n: number): unknown {
  if (parts === 1 || answer instanceof Error) return answer;
  const own = (answer as readonly unknown[])[n];
  return own instanceof Error ? mapped(own) : own;
}

/** A script whose calls may go together. It must return something other than nil. */
export function jointScript(...parts: readonly string[]): Script {
  const alone = script(...parts);
  const many = script(
    `local function one(KEYS, ARGV)
${alone.source}
end
local answers, key, at = {}, 1, 2
for n = 1, tonumber(ARGV[1]) do
  local keys, args = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local ok, answer = pcall(one, {unpack(KEYS, key, key + keys - 1)}, {unpack(ARGV, at + 2, at + 1 + args)})
  if not ok then answer = {err = type(answer) == 'table' and answer.err or tostring(answer)} end
  answers[n] = answer
  key, at = key + keys, at + 2 + args
end
return answers`,
  );
  return { ...alone, joint: many };
}
