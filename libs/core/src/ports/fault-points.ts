/**
 * Named points around every commit boundary at which tests inject crashes, delays and errors. Production uses {@link noFaults}.
 */
export interface FaultPoints {
  /** Called with the point's name, for example `saga.commit.before`; may throw, or never settle. */
  reach(point: string): void | Promise<void>;
}

/** The production binding: every point is passed. */
export const noFaults: FaultPoints = { reach() {} };
