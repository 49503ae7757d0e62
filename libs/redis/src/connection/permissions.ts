import type { Redis } from 'ioredis';
import { StoreServerError } from '../errors.js';
import type { Connection } from './connection.js';
import { refusal } from './refused.js';
import { mastersOf, nameOf } from './server.js';

const BOTH = 'EVAL EVALSHA INFO PING TIME PUBLISH SUBSCRIBE GET SET DEL EXISTS';

/** What the store sends, or does in its scripts; a subcommand stands behind its command. */
export const STORE_COMMANDS: readonly string[] = [
  ...BOTH.split(' '),
  ...'HDEL HEXISTS HGET HINCRBY HKEYS HMGET HSCAN HSET INCRBY LRANGE PEXPIRE PTTL RPUSH SADD SMEMBERS TYPE'.split(
    ' ',
  ),
  ...'ZADD ZLEXCOUNT ZRANGE ZRANGEBYLEX ZRANGEBYSCORE ZREM ZREVRANGEBYLEX ZSCAN ZSCORE'.split(' '),
];

/** As {@link STORE_COMMANDS}, for streams. */
export const STREAM_COMMANDS: readonly string[] = [
  ...BOTH.split(' '),
  ...'DECRBY HDEL HGET HGETALL HINCRBY HMGET HSET INCRBY PEXPIRE SADD SMEMBERS SREM ZADD ZRANGE ZREM ZSCORE'.split(
    ' ',
  ),
  ...'XADD XDEL XLEN XRANGE XREAD XTRIM'.split(' '),
  'XINFO STREAM',
  'CLIENT ID',
  'CLIENT UNBLOCK',
];

/** What is asked of a server: commands, and a key and a channel of those that they are used on. */
export interface Needs {
  readonly commands: readonly string[];
  readonly key: string;
  readonly channel: string;
}

/** Answers with the numbers of those that the user may not do; with none where the server can't tell. */
const REFUSED = `
if not redis.acl_check_cmd then return {} end
local refused = {}
for n, words in ipairs(ARGV) do
  local known, may = pcall(redis.acl_check_cmd, unpack(cjson.decode(words)))
  if known and not may then refused[#refused + 1] = n end
end
return refused`;

/**
 * Refuses a user who may not do all that is needed. A script that comes to a command which its user may not run ends there, and what it has written
 * before stays: nobody should begin with it.
 *
 * @throws StoreServerError that names commands, keys and channels, and how to allow them
 */
export async function checkPermissions(connection: Connection, needs: Needs): Promise<void> {
  const asked = callsOf(needs);
  const nodes = await connection.command((client) =>
    Promise.all(mastersOf(client).map(async (node) => ({ node, refused: await refusedAt(node, asked) }))),
  );
  for (const { node, refused } of nodes) {
    const rules = new Set(refused.map(({ rule }) => rule));
    if (rules.size > 0) throw new StoreServerError(lackOf(node, [...rules]));
  }
}

/** What the user has to be able to call, and the rule that lets him. */
interface Asked {
  readonly words: readonly string[];
  readonly rule: string;
}

function callsOf({ commands, key, channel }: Needs): readonly Asked[] {
  const [keys, channels] = [`~${patternOf(key)}`, `&${patternOf(channel)}`];
  // Without its arguments SET can't be told from one on keys that are refused.
  const words = (command: string): readonly string[] =>
    command === 'SET' ? ['SET', key, '1'] : command.split(' ');
  return [
    ...commands.map((command) => ({
      words: words(command),
      rule: `+${command.toLowerCase().replace(' ', '|')}`,
    })),
    { words: ['HGET', key, '1'], rule: keys },
    { words: ['HSET', key, '1', '1'], rule: keys },
    { words: ['PUBLISH', channel, '1'], rule: channels },
    { words: ['SUBSCRIBE', channel], rule: channels },
  ];
}

async function refusedAt(node: Redis, asked: readonly Asked[]): Promise<readonly Asked[]> {
  try {
    const calls = asked.map(({ words }) => JSON.stringify(words));
    const numbers = (await node.eval(REFUSED, 0, ...calls)) as readonly number[];
    const refused = numbers.flatMap((number) => asked[number - 1] ?? []);
    const commands = refused.filter(({ rule }) => rule.startsWith('+'));
    const others = refused.filter(
      ({ words, rule }) =>
        !rule.startsWith('+') && !commands.some((command) => command.words[0] === words[0]),
    );
    const onKeys = others.some(({ rule }) => rule.startsWith('~'));
    // What may not be called at all says nothing of keys and channels, nor does SET the other way round.
    return [...commands.filter(({ rule }) => !onKeys || rule !== '+set'), ...others];
  } catch (error) {
    throw refusal(error) ?? error;
  }
}

/** All that begins with the same prefix. */
function patternOf(name: string): string {
  return `${name.slice(0, name.search(/[/:}]/))}*`;
}

function lackOf(node: Redis, rules: readonly string[]): string {
  const user = node.options.username ?? 'default';
  return `User '${user}' of Redis at ${nameOf(node)} may not do all that is needed: allow it, by \`ACL SETUSER ${user} ${rules.join(' ')}\`.`;
}
