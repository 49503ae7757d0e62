import { transportConformance, type OpenedTransport } from '@nestjs-orchestrator/testing';
import { namedPipe } from '@nestjs-orchestrator/transports';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from './support.js';

/** What was sent before an endpoint left comes in, however busy the machine is. */
const PATIENT_MS = 60_000;

async function open(): Promise<OpenedTransport> {
  const { path, remove } = temporaryFolder();
  return {
    clusters: ['one', 'other'],
    transport: () => namedPipe({ directory: path, leaveMs: PATIENT_MS }),
    close: async () => remove(),
  };
}

const cases = transportConformance({ open, limitedRegistries: false });

describe('namedPipe, as every transport,', () => {
  it.each(cases)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});
