import type { Ground } from '../seat/ground.js';
import type { ClusterFiles } from './cluster-files.js';
import type { SegmentFile } from './segment-file.js';

/** What the kernel gives to processes. */
export class ProcessGround implements Ground {
  constructor(
    private readonly files: ClusterFiles,
    private readonly file: SegmentFile,
  ) {}

  exclusively<T>(task: () => T): Promise<T> {
    return this.files.exclusively(task);
  }

  isAlive(slot: number, generation: number): boolean {
    return this.files.isAlive(slot, generation);
  }

  ring(slot: number, generation: number): void {
    this.files.ring(slot, generation);
  }

  silence(): void {
    this.files.silence();
  }

  yieldCore(): void {
    this.files.yieldCore();
  }

  watch(slot: number, generation: number, onEnd: () => void): void {
    this.files.watch(slot, generation, onEnd);
  }

  forget(slot: number, generation: number): void {
    this.files.forget(slot, generation);
  }

  remove(slot: number, generation: number): void {
    this.files.remove(slot, generation);
  }

  withdraw(): void {
    this.files.withdraw();
  }

  unlink(): void {
    this.file.unlink();
    if (!this.files.isAnybodyAlive()) this.files.dissolve();
  }

  close(): void {
    this.files.close();
    this.file.close();
  }
}
