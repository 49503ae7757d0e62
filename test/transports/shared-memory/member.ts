import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Endpoint, type Logger, silentLogger, systemClock } from '@nestjs-orchestrator/core/ports';
import { onTestFinished } from 'vitest';
import type { SharedMemoryOptions } from '../../../libs/transports/src/shared-memory/options.js';
import type { SharedSeat } from '../../../libs/transports/src/shared-memory/seat/shared-seat.js';
import { sharedMemoryOver } from '../../../libs/transports/src/shared-memory/shared-memory.js';
import { segmentName } from '../../../libs/transports/src/shared-memory/system/cluster-names.js';
import type { PosixSources } from '../../../libs/transports/src/shared-memory/system/posix.js';
import { folderOfTest } from '../named-pipe/support.js';

/** A cluster of one test. */
export interface TestCluster {
  readonly name: string;
  readonly options: SharedMemoryOptions & { readonly directory: string };
  /** Its memory, as a file. */
  readonly path: string;
}

export function clusterOfTest(options: SharedMemoryOptions = {}): TestCluster {
  const name = randomUUID();
  const path = join('/dev/shm', segmentName(name));
  onTestFinished(() => rmSync(path, { force: true }));
  return { name, path, options: { directory: folderOfTest(), laneBytes: 4_096, ...options } };
}

/** An endpoint, and what it was told. */
export class Member {
  readonly told: string[] = [];
  seat!: SharedSeat;
  private readonly watches = new Set<() => void>();

  /** Leaves with the test. */
  static async join(
    cluster: TestCluster,
    endpoint: string,
    more: { options?: SharedMemoryOptions; sources?: PosixSources; logger?: Logger } = {},
  ): Promise<Member> {
    const member = new Member();
    const { options, sources, logger = silentLogger } = more;
    const transport = sharedMemoryOver({ ...cluster.options, ...options }, sources);
    const seat = await transport.join(
      { cluster: cluster.name, endpoint, clock: systemClock, logger },
      {
        onFrame: (from, frame) => member.note(`${from.name}: ${new TextDecoder().decode(frame)}`),
        onPeer: (peer) => member.note(`${peer.endpoint.name} ${peer.state}`),
      },
    );
    member.seat = seat as SharedSeat;
    onTestFinished(() => member.seat.leave());
    return member;
  }

  get self(): Endpoint {
    return this.seat.self;
  }

  say(to: Member, text: string): boolean {
    return this.seat.trySend(to.self, new TextEncoder().encode(text));
  }

  /** Settles when it was told that, now or earlier. */
  hears(what: string): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!this.told.includes(what)) return;
        this.watches.delete(look);
        resolve();
      };
      this.watches.add(look);
      look();
    });
  }

  private note(what: string): void {
    this.told.push(what);
    for (const watch of this.watches) watch();
  }
}
