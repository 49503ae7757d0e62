import type { Endpoint } from '../../../ports/transport.js';

/** The processes of the distributed cluster that keep durable machines, by group. Each leads to all durable machines of its group. */
export class WaysIn {
  private readonly byGroup = new Map<string, Map<string, Endpoint>>();

  told(from: Endpoint, group: string, keeps: boolean): void {
    const there = this.byGroup.get(group) ?? new Map<string, Endpoint>();
    if (keeps) there.set(from.incarnation, from);
    else there.delete(from.incarnation);
    if (there.size === 0) this.byGroup.delete(group);
    else this.byGroup.set(group, there);
  }

  lost({ incarnation }: Endpoint): void {
    for (const [group, there] of this.byGroup)
      if (there.delete(incarnation) && there.size === 0) this.byGroup.delete(group);
  }

  /** One of them, another one for other machines; undefined: nobody keeps any of that group. */
  to(group: string, machine: string): Endpoint | undefined {
    const there = [...(this.byGroup.get(group)?.values() ?? [])];
    let sum = 0;
    for (let at = 0; at < machine.length; at += 1) sum = (sum * 31 + machine.charCodeAt(at)) >>> 0;
    return there[sum % there.length];
  }
}
