import { defaultFolder } from '../private-folder.js';
import { checkFolder, checkWhole } from '../transport-option-error.js';

/** Options of `namedPipe`. The first three must be the same in every process of a cluster. */
export interface NamedPipeOptions {
  /**
   * Folder of sockets and names. Nobody else may be able to enter it, and it must be on a local disk. Default: `nestjs-orch-<uid>` in the system's
   * folder for temporary files.
   */
  readonly directory?: string;
  /** Bytes of the largest frame, 1 024 to 268 435 455. Default: 4 194 304 (4 MiB). */
  readonly maxFrameBytes?: number;
  /** Milliseconds between two signs of life. Default: 1 000. */
  readonly heartbeatMs?: number;
  /** Signs of life that must be missing in a row until a peer is `suspect`, at least 2. Default: 3. */
  readonly suspectAfterBeats?: number;
  /** Bytes to one peer that may wait for its confirmation until senders wait as well. Default: 1 048 576 (1 MiB). */
  readonly sendBufferBytes?: number;
  /** Milliseconds for which `leave` waits for peers to confirm what they were sent. Default: 2 000. */
  readonly leaveMs?: number;
}

/** Every option, checked. */
export type PipeSettings = Required<NamedPipeOptions>;

/** Lengths have 28 bits on the wire. */
const LONGEST_FRAME = 0x0f_ff_ff_ff;

/** @throws TransportOptionError */
export function settingsOf(options: NamedPipeOptions): PipeSettings {
  const settings: PipeSettings = {
    directory: options.directory ?? defaultFolder(),
    maxFrameBytes: options.maxFrameBytes ?? 4_194_304,
    heartbeatMs: options.heartbeatMs ?? 1_000,
    suspectAfterBeats: options.suspectAfterBeats ?? 3,
    sendBufferBytes: options.sendBufferBytes ?? 1_048_576,
    leaveMs: options.leaveMs ?? 2_000,
  };
  checkWhole(settings, 'maxFrameBytes', 1_024, LONGEST_FRAME);
  checkWhole(settings, 'heartbeatMs', 1, 3_600_000);
  checkWhole(settings, 'suspectAfterBeats', 2, 1_000);
  checkWhole(settings, 'sendBufferBytes', 1_024, Number.MAX_SAFE_INTEGER);
  checkWhole(settings, 'leaveMs', 0, 3_600_000);
  checkFolder(settings.directory);
  return settings;
}
