import { TransportUnavailableError } from '@nestjs-orchestrator/core';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { privateFolder } from '../private-folder.js';

export const TYPE = 'named-pipe';
/** Of sockets, records and files. */
export const PROTOCOL = 1;

/** What `sockaddr_un` holds, without the closing zero. */
const LONGEST_PATH: Readonly<Partial<Record<NodeJS.Platform, number>>> = { linux: 107 };
const LONGEST_PATH_ELSEWHERE = 103;
/** Under this name a socket is made; its own name it gets when it listens. */
const UNBORN = '.new';

/** Where the processes of a cluster find each other. */
export class ClusterFolder {
  readonly endpoints: string;
  readonly names: string;
  private readonly path: string;

  constructor(
    private readonly directory: string,
    cluster: string,
  ) {
    const hash = createHash('sha256').update(cluster).digest('hex');
    this.path = join(directory, hash.slice(0, 12));
    this.endpoints = join(this.path, 'e');
    this.names = join(this.path, 'n');
  }

  /** @throws TransportUnavailableError */
  async make(): Promise<void> {
    this.checkLength();
    for (const folder of [this.directory, this.path]) await privateFolder(TYPE, folder);
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
