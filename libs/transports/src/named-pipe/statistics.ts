import type { TransportStatistics } from '@nestjs-orchestrator/core/ports';

/** What an endpoint counts from when it joins until it leaves. */
export class Counters {
  framesSent = 0;
  framesReceived = 0;
  bytesSent = 0;
  bytesReceived = 0;
  refused = 0;
  corrupt = 0;

  sent(bytes: number): void {
    this.framesSent += 1;
    this.bytesSent += bytes;
  }

  received(bytes: number): void {
    this.framesReceived += 1;
    this.bytesReceived += bytes;
  }

  read(waiting: number, peers: number): TransportStatistics {
    const { framesSent, framesReceived, bytesSent, bytesReceived, refused, corrupt } = this;
    return { framesSent, framesReceived, bytesSent, bytesReceived, refused, corrupt, waiting, peers };
  }
}
