/** How frames reach a gateway: over the transport, or by a call where it is this process. */
export interface Way {
  /** `false`: no room, or others wait. The frame is the receiver's to keep. */
  trySend(frame: Uint8Array): boolean;
  send(frame: Uint8Array, signal?: AbortSignal): Promise<void>;
}
