import { EndpointTakenError, TransportUnavailableError } from '@nestjs-orchestrator/core';
import type { FrameReceiver, JoinOptions, Transport, TransportSeat } from '@nestjs-orchestrator/core/ports';
import { randomBytes } from 'node:crypto';
import { ClusterFolder, newIncarnation, PROTOCOL, TYPE } from './cluster-folder.js';
import { asDescriptor, type Descriptor } from './descriptor.js';
import { settingsOf, type NamedPipeOptions, type PipeSettings } from './options.js';
import { PipeSeat } from './pipe-seat.js';
import { sweep } from './sweep.js';

/**
 * Frames between processes of one computer and one user over unix-domain sockets (Linux, macOS) or named pipes (Windows; never tried there). Every process listens on
 * a socket of its own and connects to every other one; names are files that one live process can have. There is no broker, and nothing to start.
 *
 * A frame that `onFrame` gets is a view of up to 64 KiB that were read at once: copy those that are kept for long.
 *
 * @throws TransportOptionError
 */
export function namedPipe(options: NamedPipeOptions = {}): Transport {
  const settings = settingsOf(options);
  return { type: TYPE, join: (wishes, receiver) => join(settings, wishes, receiver) };
}

async function join(
  settings: PipeSettings,
  options: JoinOptions,
  receiver: FrameReceiver,
): Promise<TransportSeat> {
  const folder = ClusterFolder.of(settings.directory, options.cluster);
  await folder.make();
  const self: Descriptor = {
    protocol: PROTOCOL,
    name: options.endpoint,
    incarnation: newIncarnation(),
    pid: process.pid,
    token: randomBytes(16).toString('hex'),
    maxFrameBytes: settings.maxFrameBytes,
  };
  const seat = new PipeSeat(folder, settings, options, receiver, self);
  try {
    await seat.open();
    await swept(settings.directory, folder, options);
    await enter(seat, self, options);
  } catch (error) {
    await seat.leave();
    throw error;
  }
  seat.begin();
  return seat;
}

/** What the dead have left is no reason not to join. */
async function swept(directory: string, folder: ClusterFolder, options: JoinOptions): Promise<void> {
  const { logger, cluster, endpoint } = options;
  await sweep(directory, folder).catch((error: unknown) => {
    logger.warn(`What dead processes left in '${directory}' can't be removed: ${String(error)}`, {
      cluster,
      endpoint,
    });
  });
}

/** Takes the endpoint's name, then meets everybody who is there. Who comes later meets us. */
async function enter(seat: PipeSeat, self: Descriptor, { cluster }: JoinOptions): Promise<void> {
  const holder = await seat.endpoints.take(self.name, self);
  if (holder !== undefined)
    throw new EndpointTakenError(cluster, self.name, asDescriptor(holder.content)?.pid);
  const others = (await seat.endpoints.all()).filter(({ incarnation }) => incarnation !== self.incarnation);
  const found = others.map(({ content }) => fitting(content, self));
  await seat.meet(found);
}

/** @throws TransportUnavailableError for a process that would not understand us */
function fitting(content: unknown, self: Descriptor): Descriptor {
  const other = asDescriptor(content);
  if (other === undefined) {
    const { protocol } = content as { protocol?: unknown };
    throw new TransportUnavailableError(
      TYPE,
      `a process of this cluster speaks version ${String(protocol)} of the protocol, and this one speaks ${PROTOCOL}. Run the same release in all of them, or use another cluster.`,
    );
  }
  if (other.maxFrameBytes === self.maxFrameBytes) return other;
  throw new TransportUnavailableError(
    TYPE,
    `endpoint '${other.name}' (process ${other.pid}) has 'maxFrameBytes' ${other.maxFrameBytes}, and this process ${self.maxFrameBytes}. Use the same in every process of a cluster.`,
  );
}
