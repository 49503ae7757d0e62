import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { EmbeddedPostgresError } from './errors.js';

/** Under which user the programs run, and how they get to be that user. */
export interface RunAs {
  /** Put before the program and its arguments. */
  readonly prefix: readonly string[];
  /** When present, the programs change to this user, who must own the cluster. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

const AS_WE_ARE: RunAs = { prefix: [] };

/**
 * Postgres refuses to run as root, and `initdb` as a user without a name (as containers with `--user 4242` have).
 * A user namespace solves both with no right and no other account: inside it we are `nobody`, outside the files are
 * ours. Where namespaces are forbidden, root becomes the real `nobody`.
 */
export function chooseRunAs(cluster: string): RunAs {
  const uid = process.getuid?.();
  if (uid === undefined || (uid !== 0 && hasName())) return AS_WE_ARE;
  const owner = uid === 0 ? foreignOwner(cluster) : undefined;
  if (owner !== undefined) return { prefix: [], user: owner };
  const nobody = findNobody();
  if (nobody === undefined) return withoutNobody(uid);
  return inUserNamespace(nobody) ?? (uid === 0 ? { prefix: [], user: nobody } : AS_WE_ARE);
}

/** A user namespace in which we are `nobody`, where the kernel and its settings allow one. */
function inUserNamespace(nobody: { uid: number }): RunAs | undefined {
  const prefix = ['unshare', '--user', `--map-user=${nobody.uid}`, `--map-group=${nobody.uid}`, '--'];
  return spawnSync(prefix[0] ?? '', [...prefix.slice(1), 'true']).status === 0 ? { prefix } : undefined;
}

/** The error for a root that can't become anybody who may run the programs. */
export function rootRefused(why: string, cause?: unknown): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'EMBEDDED_POSTGRES_ROOT_REFUSED',
    `Postgres doesn't run as root, and it can't run as another user here: ${why}. ` +
      'Start this program as an ordinary user, allow user namespaces, or use the url of a running Postgres.',
    {},
    { cause },
  );
}

/** A cluster made by the real `nobody` can only be served by that user again. */
function foreignOwner(cluster: string): RunAs['user'] {
  const stat = statSync(cluster, { throwIfNoEntry: false });
  return stat === undefined || stat.uid === 0 ? undefined : { uid: stat.uid, gid: stat.gid };
}

function withoutNobody(uid: number): RunAs {
  if (uid === 0) throw rootRefused('/etc/passwd names no user "nobody"');
  return AS_WE_ARE;
}

function hasName(): boolean {
  try {
    return userInfo().username !== '';
  } catch {
    return false;
  }
}

function findNobody(): { readonly uid: number; readonly gid: number } | undefined {
  let table: string;
  try {
    table = readFileSync('/etc/passwd', 'utf8');
  } catch {
    return undefined;
  }
  const entry = table.split('\n').find((line) => line.startsWith('nobody:'));
  const [, , uid, gid] = entry?.split(':') ?? [];
  // Some systems write nobody's id as -2, which the kernel reads as an unsigned number.
  return uid === undefined || gid === undefined
    ? undefined
    : { uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 };
}
