/** How a node stands. */
export interface HostHealth {
  /** `up`: consuming and the store answers. `stopping`: pulls no more work. `down`: not started, or the store does not answer. */
  readonly status: 'up' | 'stopping' | 'down';
  /** Kind of the store. */
  readonly store: string;
  /** Messages being handled. */
  readonly inWork: number;
  /** Messages claimed and waiting for their turn. */
  readonly queued: number;
  readonly error?: string;
}
