import { defaultFolder } from '../private-folder.js';
import { checkFolder, checkWhole, TransportOptionError } from '../transport-option-error.js';
import { layoutOf } from './segment/layout.js';

/** Options of `sharedMemory`. The first four must be the same in every process of a cluster. */
export interface SharedMemoryOptions {
  /**
   * Folder of locks and doorbells. Nobody else may be able to enter it, and it must be on a local disk. Default: `nestjs-orch-<uid>` in the system's
   * folder for temporary files.
   */
  readonly directory?: string;
  /** Processes that the cluster can have at a time, 2 to 128. Default: 16. */
  readonly maxEndpoints?: number;
  /** Names that the cluster can hold at a time, 1 to 65 536. Default: 256. */
  readonly maxNames?: number;
  /**
   * Bytes that can be on the way from one process to another; a frame has 8 bytes less. A power of two, 4 096 to 67 108 864. Memory is taken for the
   * processes that there are: n of them take n² lanes. Default: 262 144 (256 KiB).
   */
  readonly laneBytes?: number;
  /** Milliseconds between two signs of life, and between two looks for dead peers. Default: 1 000. */
  readonly heartbeatMs?: number;
  /** Signs of life that must be missing in a row until a peer is `suspect`, at least 2. Default: 3. */
  readonly suspectAfterBeats?: number;
  /** Milliseconds for which a reader looks again and again before it sleeps, while frames come that fast; 0 to 50. Default: 0.2. */
  readonly spinMs?: number;
  /**
   * Milliseconds for which a process that has woken another one looks for what comes back instead of sleeping, while answers come in that time; 0 to
   * 50, 0: it sleeps at once. Default: 0.5.
   */
  readonly answerSpinMs?: number;
}

/** Every option, checked. */
export type SharedMemorySettings = Required<SharedMemoryOptions>;

/** So that no offset loses precision and no view is refused. */
const LARGEST_SEGMENT = 2 ** 32;

/** @throws TransportOptionError */
export function settingsOf(options: SharedMemoryOptions): SharedMemorySettings {
  const settings: SharedMemorySettings = {
    directory: options.directory ?? defaultFolder(),
    maxEndpoints: options.maxEndpoints ?? 16,
    maxNames: options.maxNames ?? 256,
    laneBytes: options.laneBytes ?? 262_144,
    heartbeatMs: options.heartbeatMs ?? 1_000,
    suspectAfterBeats: options.suspectAfterBeats ?? 3,
    spinMs: options.spinMs ?? 0.2,
    answerSpinMs: options.answerSpinMs ?? 0.5,
  };
  checkWhole(settings, 'maxEndpoints', 2, 128);
  checkWhole(settings, 'maxNames', 1, 65_536);
  checkWhole(settings, 'laneBytes', 4_096, 67_108_864);
  checkWhole(settings, 'heartbeatMs', 1, 3_600_000);
  checkWhole(settings, 'suspectAfterBeats', 2, 1_000);
  checkRest(settings);
  return settings;
}

function checkRest(settings: SharedMemorySettings): void {
  const { directory, laneBytes, maxEndpoints } = settings;
  checkFolder(directory);
  if ((laneBytes & (laneBytes - 1)) !== 0)
    throw new TransportOptionError('laneBytes', laneBytes, 'use a power of two');
  for (const option of ['spinMs', 'answerSpinMs'] as const) {
    const value = settings[option];
    if (!(value >= 0 && value <= 50))
      throw new TransportOptionError(option, value, 'use a number from 0 to 50');
  }
  if (layoutOf(settings).totalBytes > LARGEST_SEGMENT)
    throw new TransportOptionError(
      'laneBytes',
      laneBytes,
      `with ${maxEndpoints} endpoints the segment would have more than 4 GiB; use fewer or smaller lanes`,
    );
}
