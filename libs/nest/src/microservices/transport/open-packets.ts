import type { WritePacket } from '@nestjs/microservices';
import type { Endpoint } from '@nestjs-orchestrator/core/ports';

export type Answer = (packet: WritePacket) => void;

/** A request or an event that no server has answered for good. */
export class OpenPacket {
  /** Where it is, or is on its way to. */
  to: Endpoint | undefined = undefined;
  /** The transport has all of it: the server may have taken it. */
  isHanded = false;
  /** What became of the server while it was handed over. */
  doubt: Error | undefined = undefined;
  isOver = false;

  constructor(
    readonly number: number,
    private readonly end: (error: Error | undefined) => void,
    /** Of a request: where its answers go. */
    readonly answer?: Answer,
  ) {}

  settle(error: Error | undefined): void {
    if (this.isOver) return;
    this.isOver = true;
    this.end(error);
  }

  isAt({ incarnation }: Endpoint): boolean {
    return this.to?.incarnation === incarnation;
  }
}

/** All packets of a client that are open, by their numbers. */
export class OpenPackets {
  private readonly byNumber = new Map<number, OpenPacket>();
  private last = 0;

  get requests(): number {
    return this.count(true);
  }

  get events(): number {
    return this.count(false);
  }

  /** At least 1, and of no packet that is open. */
  nextNumber(): number {
    do this.last = (this.last + 1) >>> 0;
    while (this.last === 0 || this.byNumber.has(this.last));
    return this.last;
  }

  add(packet: OpenPacket): void {
    this.byNumber.set(packet.number, packet);
  }

  /** The packet of that number, if it went to that server. */
  find(number: number, server: Endpoint): OpenPacket | undefined {
    const packet = this.byNumber.get(number);
    return packet?.isAt(server) === true ? packet : undefined;
  }

  /** `false`: it was not open. */
  remove({ number }: OpenPacket): boolean {
    return this.byNumber.delete(number);
  }

  /** All of them fail. */
  failAll(error: () => Error): void {
    for (const packet of this.byNumber.values()) packet.settle(error());
  }

  /** Those that the transport has taken fail; of the others it will be known whether it took them. */
  lost(error: (server: Endpoint) => Error, server?: Endpoint): void {
    for (const packet of this.byNumber.values()) {
      const { to } = packet;
      if (to === undefined || (server !== undefined && !packet.isAt(server))) continue;
      if (packet.isHanded) packet.settle(error(to));
      else packet.doubt = error(to);
    }
  }

  private count(isAnswered: boolean): number {
    let count = 0;
    for (const { answer } of this.byNumber.values()) if ((answer !== undefined) === isAnswered) count += 1;
    return count;
  }
}
