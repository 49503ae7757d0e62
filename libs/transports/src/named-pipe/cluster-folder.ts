import { TransportUnavailableError } from '@nestjs-orchestrator/core';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { privateFolder } from '../private-folder.js';
import { listed, removeEmpty } from './files.js';

export const TYPE = 'named-pipe';
/** Of sockets, records and files. */
export const PROTOCOL = 1;

/** What `sockaddr_un` holds, without the closing zero. */
const LONGEST_PATH: Readonly<Partial<Record<NodeJS.Platform, number>>> = { linux: 107 };
const LONGEST_PATH_ELSEWHERE = 103;
const FOLDER_DIGITS = 12;
const FOLDER = /^[\da-f]{12}$/;

/** Under this name a socket is made; its own name it gets when it listens. */
export const UNBORN = '.new';

/** Where the processes of a cluster find each other. It is made by whoever comes, and removed by whoever leaves it empty. */
export class ClusterFolder {
  readonly endpoints: string;
  readonly names: string;
  readonly path: string;

  private constructor(
    private readonly directory: string,
    folder: string,
  ) {
    this.path = join(directory, folder);
    this.endpoints = join(this.path, 'e');
    this.names = join(this.path, 'n');
  }

  static of(directory: string, cluster: string): ClusterFolder {
    const hash = createHash('sha256').update(cluster).digest('hex');
    return new ClusterFolder(directory, hash.slice(0, FOLDER_DIGITS));
  }

  /** The folders of clusters in a directory. */
  static async all(directory: string): Promise<readonly ClusterFolder[]> {
    const found = await listed(directory);
    return found.filter((name) => FOLDER.test(name)).map((name) => new ClusterFolder(directory, name));
  }

  /** @throws TransportUnavailableError */
  async make(): Promise<void> {
    this.checkLength();
    for (const folder of [this.directory, this.path]) await privateFolder(TYPE, folder);
  }

  /** Takes along what is empty. Who comes at the same moment makes it again. */
  async dissolve(): Promise<void> {
    await this.dissolveKeys();
    for (const folder of [this.endpoints, this.names, this.path]) await removeEmpty(folder);
  }

  /** Takes along the folders of keys that nobody wants. */
  async dissolveKeys(): Promise<void> {
    for (const kind of [this.endpoints, this.names])
      for (const key of await listed(kind)) await removeEmpty(join(kind, key));
  }

  /** Where an incarnation listens. Whatever stands there and does not answer is dead: it listened before it got this name. */
  socketOf(incarnation: string): string {
    if (process.platform !== 'win32') return join(this.path, incarnation);
    return `\\\\.\\pipe\\nestjs-orchestrator-${incarnation}`;
  }

  /** Where its socket is made. */
  unbornSocketOf(incarnation: string): string {
    return this.socketOf(incarnation) + (process.platform === 'win32' ? '' : UNBORN);
  }

  private checkLength(): void {
    if (process.platform === 'win32') return;
    const path = this.unbornSocketOf(newIncarnation());
    const longest = LONGEST_PATH[process.platform] ?? LONGEST_PATH_ELSEWHERE;
    const bytes = Buffer.byteLength(path);
    if (bytes <= longest) return;
    const room = longest - (bytes - Buffer.byteLength(this.directory));
    throw new TransportUnavailableError(
      TYPE,
      `the path of a socket would have ${bytes} bytes, and this system allows ${longest} ('${path}'). Give a folder with a path of at most ${room} bytes in 'directory'.`,
    );
  }
}

/** Never the same again: 80 random bits. */
export const newIncarnation = (): string => randomBytes(10).toString('hex');
