import type { TransportStatistics } from '@nestjs-orchestrator/core/ports';

/** Totals of one seat; see `TransportStatistics`. */
export class FrameCounters {
  framesSent = 0;
  framesReceived = 0;
  bytesSent = 0;
  bytesReceived = 0;
  refused = 0;
  corrupt = 0;

  totals(): Omit<TransportStatistics, 'waiting' | 'peers'> {
    const { framesSent, framesReceived, bytesSent, bytesReceived, refused, corrupt } = this;
    return { framesSent, framesReceived, bytesSent, bytesReceived, refused, corrupt };
  }
}
