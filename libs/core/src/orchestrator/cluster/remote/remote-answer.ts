/** The outcome of a request of another process. Its snapshot is text, as it came: most callers want the reply alone. */
export class RemoteAnswer {
  constructor(
    readonly changed: boolean,
    readonly reply: unknown,
    readonly snapshot: string,
  ) {}
}
