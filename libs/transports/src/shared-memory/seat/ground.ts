/**
 * What a seat needs besides the memory itself: a lock, knowledge of who lives, and bells. Between processes the kernel gives it (`ClusterFiles`),
 * between threads the memory. Slots and generations name endpoints.
 */
export interface Ground {
  /** Runs a task while no other endpoint runs one. @throws TransportUnavailableError (as a rejection) */
  exclusively<T>(task: () => T): Promise<T>;
  /** Whether who has this generation of the slot lives. */
  isAlive(slot: number, generation: number): boolean;
  /** Rings the bell of an endpoint. */
  ring(slot: number, generation: number): void;
  /** Takes back what has rung the own bell: until then it goes on ringing. */
  silence(): void;
  /** Lets those run that wait for this core, before a reader that found nothing looks again. */
  yieldCore(): void;
  /** Calls when an endpoint ends, as early as that can be known. */
  watch(slot: number, generation: number, onEnd: () => void): void;
  /** Gives back what was opened for an endpoint. */
  forget(slot: number, generation: number): void;
  /** Under the lock: removes what an endpoint that is gone has left. */
  remove(slot: number, generation: number): void;
  /** From now on others see this endpoint as dead. */
  withdraw(): void;
  /** Under the lock: the last one has left. */
  unlink(): void;
  /** Gives everything back. */
  close(): void;
}
