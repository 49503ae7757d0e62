import { BaseRpcContext, type PacketMetadata } from '@nestjs/microservices';
import type { Endpoint } from '@nestjs-orchestrator/core/ports';

/** What `@Ctx()` gives a handler of {@link TransportServer}. */
export class TransportContext extends BaseRpcContext<
  [Endpoint | undefined, string, PacketMetadata | undefined]
> {
  /** Who sent the packet; `undefined` where a transport that keeps events does not know. */
  getSender(): Endpoint | undefined {
    return this.args[0];
  }

  getPattern(): string {
    return this.args[1];
  }

  /** What the client attached to the packet. */
  getMetadata(): PacketMetadata | undefined {
    return this.args[2];
  }
}
