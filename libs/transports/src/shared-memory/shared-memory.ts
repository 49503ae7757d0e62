import { randomUUID } from 'node:crypto';
import { NameInvalidError, OrchestratorError, TransportUnavailableError } from '@nestjs-orchestrator/core';
import type { FrameReceiver, JoinOptions, Transport, TransportSeat } from '@nestjs-orchestrator/core/ports';
import { privateFolder } from '../private-folder.js';
import { settingsOf, type SharedMemoryOptions, type SharedMemorySettings } from './options.js';
import { SharedSeat } from './seat/shared-seat.js';
import { takePlace } from './seat/take-place.js';
import { MAX_NAME_BYTES } from './segment/endpoint-table.js';
import { utf8 } from './segment/text.js';
import { ClusterFiles } from './system/cluster-files.js';
import { clusterFolder, segmentName } from './system/cluster-names.js';
import { loadPosix, type Posix, type PosixSources } from './system/posix.js';
import { ProcessGround } from './system/process-ground.js';
import { SegmentFile } from './system/segment-file.js';
import { sweepCluster, sweepDeadClusters } from './system/sweep.js';

const TYPE = 'shared-memory';

/**
 * Frames between processes of one user on one computer, through memory that all of them see. Linux; macOS untested; needs the package `koffi`. An
 * endpoint keeps its process alive until it leaves.
 *
 * @throws TransportOptionError
 */
export function sharedMemory(options: SharedMemoryOptions = {}): Transport {
  return sharedMemoryOver(options);
}

/** As `sharedMemory`, with other sources of the system's calls. */
export function sharedMemoryOver(options: SharedMemoryOptions, sources?: PosixSources): Transport {
  const settings = settingsOf(options);
  return {
    type: TYPE,
    join: async (joining, receiver) => {
      checkName(joining.cluster);
      checkName(joining.endpoint);
      const posix = await loadPosix(sources);
      await privateFolder(TYPE, settings.directory);
      return enterCluster(posix, settings, joining, receiver);
    },
  };
}

/** @throws NameInvalidError */
function checkName(name: string): void {
  const bytes = utf8(name).length;
  if (bytes < 1 || bytes > MAX_NAME_BYTES) throw new NameInvalidError(name, MAX_NAME_BYTES);
}

async function enterCluster(
  posix: Posix,
  settings: SharedMemorySettings,
  options: JoinOptions,
  receiver: FrameReceiver,
): Promise<TransportSeat> {
  const folder = clusterFolder(settings.directory, options.cluster);
  const files = new ClusterFiles(posix, folder);
  try {
    sweepDeadClusters(posix, settings.directory, folder);
    const seat = await files.exclusively(() => sit(posix, files, { settings, options, receiver }));
    seat.start();
    return seat;
  } catch (error) {
    // The folder that was made for it, if nobody else is in it.
    sweepCluster(posix, files, segmentName(options.cluster));
    files.close();
    if (error instanceof OrchestratorError) throw error;
    throw new TransportUnavailableError(
      TYPE,
      `cluster '${options.cluster}' can't be joined: ${error instanceof Error ? error.message : String(error)}. ` +
        `Look whether '${settings.directory}' can be written and files can be opened.`,
      { cause: error },
    );
  }
}

interface Joining {
  readonly settings: SharedMemorySettings;
  readonly options: JoinOptions;
  readonly receiver: FrameReceiver;
}

/** Under the lock. */
function sit(posix: Posix, files: ClusterFiles, { settings, options, receiver }: Joining): SharedSeat {
  const { cluster, endpoint } = options;
  const file = SegmentFile.open(posix, files, cluster, settings);
  const ground = new ProcessGround(files, file);
  const { segment } = file;
  const incarnation = randomUUID();
  let seat: SharedSeat | undefined;
  try {
    const applicant = { cluster, name: endpoint, incarnation, pid: process.pid };
    const place = takePlace(segment, ground, applicant, ({ slot, generation }, others) => {
      file.reserveLanes(slot, others);
      files.settle(slot, generation, () => seat?.rung());
    });
    const self = { name: endpoint, incarnation };
    seat = new SharedSeat({ segment, ground, place, self, settings, options, receiver });
    for (const other of segment.live()) ground.ring(other.slot, other.generation);
    return seat;
  } catch (error) {
    // Nobody else: what was made for this endpoint goes with it.
    if (segment.live().length === 0) file.unlink();
    file.close();
    throw error;
  }
}
