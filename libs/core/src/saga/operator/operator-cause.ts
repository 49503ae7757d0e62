/** An operator's action, as an instance gets it. */
export interface OperatorCause {
  readonly kind: 'operator';
  /** `release`: nobody's; a node has found that it continues what was held for its version. */
  readonly verb: 'retry' | 'skip' | 'resolve' | 'cancel' | 'replay' | 'save' | 'note' | 'release';
  readonly by: string;
  readonly reason: string | null;
  /** The instance that is meant: another one may have its key by now. */
  readonly instance: string;
  /** Number of an undo step. */
  readonly step?: number;
  /** `save`: the data, as JSON, and the version that it was read at. */
  readonly data?: unknown;
  readonly version?: number;
}
