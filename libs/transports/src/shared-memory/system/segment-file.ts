import { closeSync, constants, fchmodSync, fstatSync, ftruncateSync, type Stats } from 'node:fs';
import { TransportUnavailableError } from '@nestjs-orchestrator/core';
import { MAGIC, SegmentHeader, VERSION } from '../segment/header.js';
import { HEADER_BYTES, layoutOf, ringOffset, type SegmentShape } from '../segment/layout.js';
import { Segment } from '../segment/segment.js';
import { clusterHash, type ClusterFiles } from './cluster-files.js';
import { type Posix, PosixError } from './posix.js';

/** Name of a cluster's shared object: one for each user. */
export const segmentName = (cluster: string): string =>
  `/xorc-${process.getuid?.() ?? 0}-${clusterHash(cluster)}`;

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

  /** What `orchestrator inspect` reads: nothing is made, changed or removed. */
  static look(posix: Posix, cluster: string): Segment | undefined {
    const fd = openExisting(posix, segmentName(cluster), constants.O_RDONLY);
    if (fd === undefined) return undefined;
    try {
      const { size } = owned(fd, segmentName(cluster));
      const header = new SegmentHeader(posix.map(fd, HEADER_BYTES, false));
      refuseForeign(header, segmentName(cluster));
      if (!header.isReady || size !== layoutOf(header.shape).totalBytes) return undefined;
      return new Segment(posix.map(fd, size, false), header.shape);
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

  /** The last one removes the name. */
  unlink(): void {
    const linked = openExisting(this.posix, this.name);
    if (linked === undefined) return;
    const isSame = isSameFile(fstatSync(linked), fstatSync(this.fd));
    closeSync(linked);
    if (isSame) this.posix.unlinkShared(this.name);
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

/** The segment, or nothing where it is of no use to anybody and can be replaced. */
function attach(
  posix: Posix,
  files: ClusterFiles,
  wanted: Wanted & { readonly fd: number },
): Segment | undefined {
  const { name, fd, cluster, shape } = wanted;
  const { size } = owned(fd, name);
  const isDead = !files.isAnybodyAlive();
  // Its maker died before it had a size.
  if (size === 0 && isDead) return undefined;
  if (size < HEADER_BYTES) throw foreign(name);
  const header = new SegmentHeader(posix.map(fd, HEADER_BYTES, true));
  if (isDead && header.magic === 0 && !header.isReady) return undefined;
  refuseForeign(header, name, isDead);
  if (isDead) return undefined;
  if (header.cluster !== cluster) throw collision(cluster, header.cluster);
  refuseOtherLock(header, files, cluster);
  refuseOtherShape(header.shape, shape, cluster);
  if (size !== layoutOf(shape).totalBytes) throw foreign(name);
  const segment = new Segment(posix.map(fd, size, true), shape);
  refuseReplaced(posix, name, fd);
  return segment;
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

function refuseForeign(header: SegmentHeader, name: string, mayReplace = false): void {
  if (header.magic !== MAGIC) throw foreign(name);
  if (header.version === VERSION || mayReplace) return;
  throw unavailable(
    `the memory '${name}' has layout version ${header.version}, this process has ${VERSION}. ` +
      'Processes of one cluster need the same version of this package.',
  );
}

const foreign = (name: string): TransportUnavailableError =>
  unavailable(
    `behind the name '${name}' there is something else than a segment of ours. Remove it, or name the cluster otherwise.`,
  );

function refuseOtherLock(header: SegmentHeader, files: ClusterFiles, cluster: string): void {
  const [its, ours] = [header.lock, files.identity];
  if (its.device === ours.device && its.inode === ours.inode) return;
  throw unavailable(
    `cluster '${cluster}' is guarded by a lock in another folder. Give all its processes the same 'directory'.`,
  );
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
