import { closeSync, constants, fchmodSync, fstatSync, ftruncateSync, type Stats } from 'node:fs';
import { TransportUnavailableError } from '@nestjs-orchestrator/core';
import { type LockIdentity, MAGIC, SegmentHeader, VERSION } from '../segment/header.js';
import { HEADER_BYTES, layoutOf, ringOffset, type SegmentShape } from '../segment/layout.js';
import { Segment } from '../segment/segment.js';
import type { ClusterFiles } from './cluster-files.js';
import { segmentName } from './cluster-names.js';
import { type Posix, PosixError } from './posix.js';

const unavailable = (problem: string, cause?: unknown): TransportUnavailableError =>
  new TransportUnavailableError('shared-memory', problem, cause === undefined ? {} : { cause });

const OPTIONS = ['maxEndpoints', 'maxNames', 'laneBytes'] as const;

/** A cluster's shared object: made by the first, found by the others, removed by the last. Everything here happens under the cluster's lock. */
export class SegmentFile {
  private constructor(
    private readonly posix: Posix,
    private readonly name: string,
    private readonly fd: number,
    readonly segment: Segment,
  ) {}

  /** @throws TransportUnavailableError */
  static open(posix: Posix, files: ClusterFiles, cluster: string, shape: SegmentShape): SegmentFile {
    const name = segmentName(cluster);
    const found = openExisting(posix, name);
    if (found !== undefined) {
      const segment = attach(posix, files, { name, fd: found, cluster, shape });
      if (segment !== undefined) return new SegmentFile(posix, name, found, segment);
      closeSync(found);
      posix.unlinkShared(name);
    } else if (files.isAnybodyAlive()) {
      throw unavailable(
        `the memory '${name}' of cluster '${cluster}' was removed while processes of it live. End them all, then start them again.`,
      );
    }
    return create(posix, files, { name, cluster, shape });
  }

  /** For looking only: nothing is made, changed or removed. Nothing where there is no segment. @throws TransportUnavailableError */
  static look(posix: Posix, cluster: string): Segment | undefined {
    const name = segmentName(cluster);
    const fd = openExisting(posix, name, constants.O_RDONLY);
    if (fd === undefined) return undefined;
    try {
      const { size } = owned(fd, name);
      if (size < HEADER_BYTES || !isMade(posix, fd)) throw foreign(name);
      const header = new SegmentHeader(posix.map(fd, HEADER_BYTES, false));
      refuseOtherVersion(header, name);
      if (size !== layoutOf(header.shape).totalBytes) throw foreign(name);
      return new Segment(posix.map(fd, size, false), header.shape);
    } finally {
      closeSync(fd);
    }
  }

  /** Under the lock of a cluster of which nobody lives: removes its memory, if it is guarded by that lock. @throws TransportUnavailableError */
  static sweep(posix: Posix, name: string, lock: LockIdentity): void {
    const fd = openExisting(posix, name);
    if (fd === undefined) return;
    try {
      const { size } = owned(fd, name);
      if (size < HEADER_BYTES || !isMade(posix, fd)) return;
      const header = new SegmentHeader(posix.map(fd, HEADER_BYTES, false));
      if (isSameLock(header.lock, lock)) posix.unlinkShared(name);
    } finally {
      closeSync(fd);
    }
  }

  static create(posix: Posix, name: string, fd: number, segment: Segment): SegmentFile {
    return new SegmentFile(posix, name, fd, segment);
  }

  /** Makes sure that there is memory behind the lanes between a slot and others, and to itself. @throws TransportUnavailableError */
  reserveLanes(slot: number, others: readonly number[]): void {
    const { layout } = this.segment;
    const pairs = others.flatMap((other) => [
      [slot, other],
      [other, slot],
    ]) as [number, number][];
    for (const [sender, receiver] of [...pairs, [slot, slot] as const]) {
      reserve(this.posix, this.fd, ringOffset(layout, sender, receiver), layout.laneBytes);
    }
  }

  /** The last one removes the name, and gives the memory back: what is mapped stays mapped as long as the process lives. */
  unlink(): void {
    const linked = openExisting(this.posix, this.name);
    if (linked === undefined) return;
    const isSame = isSameFile(fstatSync(linked), fstatSync(this.fd));
    closeSync(linked);
    if (!isSame) return;
    this.posix.unlinkShared(this.name);
    this.posix.discard(this.fd, this.segment.layout.totalBytes);
  }

  /** Only the descriptor: the mapping stays. */
  close(): void {
    closeSync(this.fd);
  }
}

interface Wanted {
  readonly name: string;
  readonly cluster: string;
  readonly shape: SegmentShape;
}

/** The segment, or nothing where nobody needs it and it can be replaced. */
function attach(
  posix: Posix,
  files: ClusterFiles,
  wanted: Wanted & { readonly fd: number },
): Segment | undefined {
  const { name, fd, cluster, shape } = wanted;
  const { size } = owned(fd, name);
  if (size < HEADER_BYTES || !isMade(posix, fd)) {
    // Its maker died before it had finished.
    if (isHalfMade(posix, fd, size) && !files.isAnybodyAlive()) return undefined;
    throw foreign(name);
  }
  const header = new SegmentHeader(posix.map(fd, HEADER_BYTES, true));
  if (isAbandoned(posix, files, { header, fd, cluster })) return undefined;
  refuseOtherVersion(header, name);
  if (header.cluster !== cluster) throw collision(cluster, header.cluster);
  refuseOtherShape(header.shape, shape, cluster);
  if (size !== layoutOf(shape).totalBytes) throw foreign(name);
  const segment = new Segment(posix.map(fd, size, true), shape);
  refuseReplaced(posix, name, fd);
  return segment;
}

function isMade(posix: Posix, fd: number): boolean {
  const header = new SegmentHeader(posix.map(fd, HEADER_BYTES, false));
  return header.magic === MAGIC && header.isReady;
}

const isHalfMade = (posix: Posix, fd: number, size: number): boolean =>
  size === 0 || (size >= HEADER_BYTES && new SegmentHeader(posix.map(fd, HEADER_BYTES, false)).isBlank);

/** Whether nobody lives who uses it. @throws TransportUnavailableError where that can't be told */
function isAbandoned(
  posix: Posix,
  files: ClusterFiles,
  found: { readonly header: SegmentHeader; readonly fd: number; readonly cluster: string },
): boolean {
  const { header, fd, cluster } = found;
  if (isSameLock(header.lock, files.identity)) return !files.isAnybodyAlive();
  // Its lock can't be asked who lives.
  if (header.version === VERSION && !isAnyPidAlive(posix, fd, header.shape)) return true;
  throw unavailable(
    `cluster '${cluster}' is guarded by a lock in another folder. Give all its processes the same 'directory'.`,
  );
}

const collision = (one: string, other: string): TransportUnavailableError =>
  unavailable(`the names '${one}' and '${other}' of two clusters collide. Choose another one.`);

/** What was mapped must be what the name leads to. */
function refuseReplaced(posix: Posix, name: string, fd: number): void {
  const again = openExisting(posix, name);
  const isSame = again !== undefined && isSameFile(fstatSync(again), fstatSync(fd));
  if (again !== undefined) closeSync(again);
  if (!isSame)
    throw unavailable(`the memory '${name}' was replaced by something else while it was opened. Try again.`);
}

function create(posix: Posix, files: ClusterFiles, { name, cluster, shape }: Wanted): SegmentFile {
  const { O_RDWR, O_CREAT, O_EXCL } = constants;
  const fd = posix.openShared(name, O_RDWR | O_CREAT | O_EXCL);
  try {
    fchmodSync(fd, 0o600);
    const layout = layoutOf(shape);
    ftruncateSync(fd, layout.totalBytes);
    reserve(posix, fd, 0, layout.ringsAt);
    const segment = new Segment(posix.map(fd, layout.totalBytes, true), shape);
    segment.header.write(cluster, shape, files.identity, Date.now());
    return SegmentFile.create(posix, name, fd, segment);
  } catch (error) {
    closeSync(fd);
    posix.unlinkShared(name);
    throw error;
  }
}

function openExisting(posix: Posix, name: string, flags: number = constants.O_RDWR): number | undefined {
  try {
    return posix.openShared(name, flags);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    if (error.code === 'ENOENT') return undefined;
    if (error.code === 'EACCES')
      throw unavailable(
        `the memory '${name}' belongs to another user. Have it removed, or name the cluster otherwise.`,
        error,
      );
    throw unavailable(`the memory '${name}' can't be opened (${error.code}).`, error);
  }
}

function owned(fd: number, name: string): Stats {
  const stats = fstatSync(fd);
  const user = process.getuid?.();
  if (stats.uid !== user)
    throw unavailable(`the memory '${name}' belongs to user ${stats.uid}, not to ${user}. Have it removed.`);
  if ((stats.mode & 0o077) !== 0)
    throw unavailable(`the memory '${name}' is open to other users. It is none of ours: remove it.`);
  return stats;
}

function refuseOtherVersion(header: SegmentHeader, name: string): void {
  if (header.version === VERSION) return;
  throw unavailable(
    `the memory '${name}' has layout version ${header.version}, this process has ${VERSION}. ` +
      'Processes of one cluster need the same version of this package.',
  );
}

const foreign = (name: string): TransportUnavailableError =>
  unavailable(
    `behind the name '${name}' there is something else than a segment of ours. Remove it, or name the cluster otherwise.`,
  );

const isSameLock = (one: LockIdentity, other: LockIdentity): boolean =>
  one.device === other.device && one.inode === other.inode;

/** Whether a process has the number of one that is registered. It may be another one by now: then somebody has to remove the segment. */
function isAnyPidAlive(posix: Posix, fd: number, shape: SegmentShape): boolean {
  const { totalBytes } = layoutOf(shape);
  if (fstatSync(fd).size !== totalBytes) return true;
  const segment = new Segment(posix.map(fd, totalBytes, false), shape);
  return segment.live().some(({ pid }) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  });
}

function refuseOtherShape(its: SegmentShape, ours: SegmentShape, cluster: string): void {
  const other = OPTIONS.filter((option) => its[option] !== ours[option]);
  if (other.length === 0) return;
  const said = other.map((option) => `'${option}' ${its[option]}, not ${ours[option]}`).join(', ');
  throw unavailable(`cluster '${cluster}' was made with ${said}. Give all its processes the same options.`);
}

function reserve(posix: Posix, fd: number, offset: number, bytes: number): void {
  try {
    posix.reserve(fd, offset, bytes);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    throw unavailable(
      `there are no ${bytes} bytes of shared memory left (${error.code}). Make /dev/shm larger ` +
        "(Docker: --shm-size), or 'laneBytes', 'maxEndpoints' or 'maxNames' smaller.",
      error,
    );
  }
}

const isSameFile = (one: Stats, other: Stats): boolean => one.dev === other.dev && one.ino === other.ino;
