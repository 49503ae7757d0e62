import { createHash } from 'node:crypto';

/** A Lua script, known to the server by its hash. */
export interface Script {
  readonly source: string;
  readonly sha: string;
  /** The same for several calls at once, where they may go together. */
  readonly joint?: Script;
}

/** One run of a script. All keys are of one slot. */
export interface Call {
  readonly script: Script;
  readonly keys: readonly string[];
  readonly args: readonly (string | number | Buffer)[];
  /** Bytes that count, where calls go together. */
  readonly weight?: number;
}

export function script(...parts: readonly string[]): Script {
  const source = parts.join('\n');
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}

/** Collects keys and arguments of a call; arguments name keys by their place. */
export class Parameters {
  readonly keys: string[];
  readonly args: (string | number)[] = [];
  private readonly places = new Map<string, number>();

  /** @param keys those that the script knows by their place */
  constructor(...keys: readonly string[]) {
    this.keys = [...keys];
    this.keys.forEach((key, n) => this.places.set(key, n + 1));
  }

  push(...values: readonly (string | number)[]): this {
    this.args.push(...values);
    return this;
  }

  /** An argument that names a key. */
  pushKey(key: string): this {
    let place = this.places.get(key);
    if (place === undefined) {
      place = this.keys.push(key);
      this.places.set(key, place);
    }
    this.args.push(place);
    return this;
  }

  /** A count, and then the values of each item. */
  pushAll<T>(items: readonly T[], each: (item: T) => void): this {
    this.args.push(items.length);
    items.forEach(each);
    return this;
  }
}
