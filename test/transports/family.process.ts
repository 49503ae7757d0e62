// One of the other processes of the family's suite, over a transport of this computer.
import { createOrchestrator } from '@nestjs-orchestrator/core';
import { serveFamily } from '@nestjs-orchestrator/testing';
import { namedPipe, sharedMemory } from '@nestjs-orchestrator/transports';

const TRANSPORTS = { 'named-pipe': namedPipe, 'shared-memory': sharedMemory };

/** Where the cluster of a case is. */
export interface FamilyPlace {
  readonly cluster: string;
  readonly directory: string;
}

const { type } = JSON.parse(process.argv[2] ?? '{}') as { readonly type: keyof typeof TRANSPORTS };

serveFamily({
  create(options, place) {
    const { cluster, directory } = place as FamilyPlace;
    const transports = { [type]: TRANSPORTS[type]({ directory }) };
    return createOrchestrator({ ...options, cluster, type, transports });
  },
  post: (message) => void process.send?.(message),
  listen: (listener) => void process.on('message', listener),
});
