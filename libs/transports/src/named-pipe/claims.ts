import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { isAbsent, listed, removeEmpty } from './files.js';

/** Whether the process of an incarnation still exists. */
export type IsAlive = (incarnation: string) => Promise<boolean>;

/** Somebody's hold on a key. */
export interface Claim {
  readonly incarnation: string;
  /** What was written down with it; `undefined` while it is only wanted. */
  readonly content: unknown;
}

/** Rounds in which somebody who wants the same key may neither get nor leave it. */
const PATIENCE_ROUNDS = 200;
const PAUSE_MS = 5;
const WANT = '.want';
const HELD = '.held';

/**
 * Keys, each held by one live process at most, in a folder that several processes share. Who wants a key first puts a file `<incarnation>.want` into the
 * key's folder, then looks who else has one there: of two, at least the later one sees the other. `<incarnation>.held` says that the look found
 * nobody. Files of dead incarnations count for nothing and may be removed by anybody, since no incarnation comes twice. No file is ever renamed, and
 * `.want` stays as long as `.held`, so that no listing can miss a holder.
 */
export class Claims {
  constructor(
    private readonly folder: string,
    private readonly incarnation: string,
    private readonly isAlive: IsAlive,
  ) {}

  /** `undefined`: the key is ours now. Else who has it. */
  async take(key: string, content: object): Promise<Claim | undefined> {
    const folder = this.folderOf(key);
    await this.want(folder, content);
    for (let round = 0; ; round += 1) {
      const rivals = await this.rivals(folder);
      const holder = rivals.find(({ isHeld }) => isHeld) ?? (round < PATIENCE_ROUNDS ? undefined : rivals[0]);
      if (holder !== undefined) {
        await this.drop(folder, this.incarnation);
        return { incarnation: holder.incarnation, content: await this.read(folder, holder.incarnation) };
      }
      if (rivals.length === 0) {
        await link(join(folder, this.incarnation + WANT), join(folder, this.incarnation + HELD));
        return undefined;
      }
      // Of several who want it at the same time the first by name stays, the others make room.
      if (rivals.some(({ incarnation }) => incarnation < this.incarnation))
        await this.yieldTo(folder, content);
      await pause();
    }
  }

  /** Gives a key back; nothing where it is not ours. */
  async release(key: string): Promise<void> {
    await this.drop(this.folderOf(key), this.incarnation);
  }

  async holder(key: string): Promise<Claim | undefined> {
    return this.holderIn(this.folderOf(key));
  }

  /** Every key that is held. What the dead have left is removed on the way. */
  async all(): Promise<readonly Claim[]> {
    const folders = await listed(this.folder);
    const claims = await Promise.all(folders.map((name) => this.holderIn(join(this.folder, name))));
    return claims.filter((claim) => claim !== undefined);
  }

  private async holderIn(folder: string): Promise<Claim | undefined> {
    for (const file of await listed(folder)) {
      if (!file.endsWith(HELD)) continue;
      const incarnation = file.slice(0, -HELD.length);
      if (incarnation !== this.incarnation && !(await this.isAlive(incarnation))) {
        await this.drop(folder, incarnation);
        continue;
      }
      const content = await this.read(folder, incarnation);
      if (content !== undefined) return { incarnation, content };
    }
    return undefined;
  }

  private async want(folder: string, content: object): Promise<void> {
    for (;;) {
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeFile(join(folder, this.incarnation + WANT), JSON.stringify(content), { mode: 0o600 });
        return;
      } catch (error) {
        // Another one has just removed the folder, since it was empty.
        if (!isAbsent(error)) throw error;
      }
    }
  }

  private async yieldTo(folder: string, content: object): Promise<void> {
    await this.drop(folder, this.incarnation);
    for (let round = 0; round < PATIENCE_ROUNDS; round += 1) {
      const rivals = await this.rivals(folder);
      if (rivals.length === 0 || rivals.some(({ isHeld }) => isHeld)) break;
      await pause();
    }
    await this.want(folder, content);
  }

  private async rivals(folder: string): Promise<{ incarnation: string; isHeld: boolean }[]> {
    const files = new Set(await listed(folder));
    const found: { incarnation: string; isHeld: boolean }[] = [];
    for (const file of files) {
      if (!file.endsWith(WANT)) continue;
      const incarnation = file.slice(0, -WANT.length);
      if (incarnation === this.incarnation) continue;
      if (await this.isAlive(incarnation)) found.push({ incarnation, isHeld: files.has(incarnation + HELD) });
      else await this.drop(folder, incarnation);
    }
    return found.sort((one, other) => (one.incarnation < other.incarnation ? -1 : 1));
  }

  private async drop(folder: string, incarnation: string): Promise<void> {
    await rm(join(folder, incarnation + HELD), { force: true });
    await rm(join(folder, incarnation + WANT), { force: true });
    await removeEmpty(folder);
  }

  private async read(folder: string, incarnation: string): Promise<unknown> {
    try {
      return JSON.parse(await readFile(join(folder, incarnation + HELD), 'utf8')) as unknown;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  private folderOf(key: string): string {
    return join(this.folder, createHash('sha256').update(key).digest('hex').slice(0, 32));
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
