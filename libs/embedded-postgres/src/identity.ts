import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { systemCode } from './errors.js';

/** A process id together with what tells its process from a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque; empty where the platform doesn't tell. */
  readonly born: string;
}

/** Identifies a process, or tells with `undefined` that there is none. */
export function identify(pid: number): ProcessIdentity | undefined {
  return isAlive(pid) ? { pid, born: birth(pid) } : undefined;
}

/** Whether that very process still runs. */
export function stillRuns(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.born === identity.born;
}

/** Whether any process has this id. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    // The process of another user is alive as well.
    return systemCode(error) === 'EPERM';
  }
}

/** Whether process `pid` is a Postgres server whose data is in `folder`. */
export function servesFolder(pid: number, folder: string): boolean {
  if (!isAlive(pid)) return false;
  if (process.platform === 'linux') return isPostgresIn(pid, realpathSync(folder));
  const command = process.platform === 'win32' ? windowsImage(pid) : ps(pid, 'command');
  // Elsewhere the working directory can't be read: settle for the server's command line.
  return command.includes('postgres') && (process.platform === 'win32' || command.includes(folder));
}

/** All processes of Postgres that work in `folder`, as a server and its sessions do; empty where the platform doesn't tell. */
export function processesIn(folder: string): readonly number[] {
  if (process.platform !== 'linux') return [];
  const real = realpathSync(folder);
  const numbers = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return numbers.map(Number).filter((pid) => isPostgresIn(pid, real));
}

/** A server changes to its data directory. So may somebody's shell, which is none of our business. */
function isPostgresIn(pid: number, real: string): boolean {
  // Not the whole name: it ends in "(deleted)" when the installation was replaced meanwhile.
  const program = basename(linkTarget(`/proc/${pid}/exe`) ?? '');
  return program.startsWith('postgres') && linkTarget(`/proc/${pid}/cwd`) === real;
}

/** Linux keeps the entry of a dead process until its parent asks for it; an orphan's new parent may never do. */
function isZombie(pid: number): boolean {
  return process.platform === 'linux' && linuxStat(pid)[0] === 'Z';
}

function birth(pid: number): string {
  if (process.platform === 'linux')
    return `${readText('/proc/sys/kernel/random/boot_id')}/${linuxStat(pid)[19]}`;
  return process.platform === 'win32' ? '' : ps(pid, 'lstart');
}

/** The fields of `/proc/<pid>/stat` after the command's name, which may itself hold blanks and brackets. */
function linuxStat(pid: number): readonly string[] {
  const text = readText(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return ''; // the process has just ended
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // ended, or another user's and therefore not ours
  }
}

function ps(pid: number, field: 'command' | 'lstart'): string {
  return spawnSync('ps', ['-o', `${field}=`, '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
}

function windowsImage(pid: number): string {
  return spawnSync('tasklist', ['/FI', `PID eq ${pid}`, '/NH'], { encoding: 'utf8' }).stdout.trim();
}
