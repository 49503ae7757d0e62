/** What a command has around it. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Paths are meant from here. */
  readonly cwd: string;
  /** Takes what was asked for. */
  readonly out: (text: string) => void;
  /** Takes what went wrong, and usage. */
  readonly error: (text: string) => void;
}

/** How a command ended: `0` all is well, `1` it has found something, `2` it could not do its work. */
export type ExitCode = 0 | 1 | 2;
