const SMALLEST = 16;

/** A queue in a circle: push and shift cost the same however long it is, and an empty one holds on to nothing. */
export class Ring<T> {
  private slots: (T | undefined)[] = [];
  private head = 0;
  size = 0;

  push(item: T): void {
    if (this.size === this.slots.length) this.grow();
    this.slots[(this.head + this.size) & (this.slots.length - 1)] = item;
    this.size += 1;
  }

  peek(): T | undefined {
    return this.size === 0 ? undefined : this.slots[this.head];
  }

  shift(): T | undefined {
    if (this.size === 0) return undefined;
    const { head, slots } = this;
    const item = slots[head];
    slots[head] = undefined;
    this.head = (head + 1) & (slots.length - 1);
    this.size -= 1;
    if (this.size === 0 && slots.length > SMALLEST * 64) this.slots = [];
    return item;
  }

  private grow(): void {
    const { slots, head, size } = this;
    const larger = new Array<T | undefined>(Math.max(SMALLEST, slots.length * 2)).fill(undefined);
    for (let at = 0; at < size; at += 1) larger[at] = slots[(head + at) & (slots.length - 1)];
    this.slots = larger;
    this.head = 0;
  }
}
