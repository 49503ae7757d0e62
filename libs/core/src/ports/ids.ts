/** Source of ids that must never repeat (UUIDs in production, counted ones in simulation). */
export interface IdSource {
  next(): string;
}

/** Source of randomness for jitter; a seeded one in simulation. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
}
