import type { KeptMachine } from '../../durable/kept-machine.js';
import type { MachineInstance } from '../../instance/machine-instance.js';

/** A machine that a sender has named, and who that was when it was last looked up. */
export class LocalTarget {
  instance: MachineInstance | undefined = undefined;
  /** It, where it is a durable one that was asked for from another cluster. */
  kept: Promise<KeptMachine> | undefined = undefined;

  constructor(
    readonly group: string,
    readonly id: string,
  ) {}
}
