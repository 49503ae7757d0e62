/** What can be missing in a build. */
export type LackKind =
  | 'unknown-saga'
  | 'unknown-version'
  | 'newer-version'
  | 'unknown-state'
  | 'unknown-compensation'
  | 'unknown-timer'
  | 'unreadable-instance'
  | 'unserved-destination';

/** Something that rows of a store name and a build does not have. */
export interface Lack {
  readonly kind: LackKind;
  /** The saga, where it is of one. */
  readonly saga?: string;
  /** The version that its instances live under. */
  readonly version?: number;
  /** The state, compensation, timer or destination. */
  readonly name: string;
  /** The version of the build that would go on with it, or its highest. */
  readonly by?: number;
}

/** What is there, and what to do about it. */
export function advice({ kind, saga, version, name, by }: Lack, count: number): string {
  switch (kind) {
    case 'unknown-saga':
      return (
        `${counted(count, 'instance')} of saga '${name}' live in the store, and this build does not have that saga. ` +
        `Register it until they have ended; if another application serves it, check both together.`
      );
    case 'unknown-version':
      return (
        `${counted(count, 'instance')} of saga '${saga}' live under version ${version}, which this build neither has nor migrates: each is held when ` +
        `something comes for it. Register version ${version} beside version ${by} until they have ended, or give version ${by} migrate: { ${version}: { … } }.`
      );
    case 'newer-version':
      return (
        `${counted(count, 'instance')} of saga '${saga}' live under version ${version}, and the highest of this build is ${by}: it gives their messages ` +
        `back. Keep nodes of the newer build running, or deploy that one.`
      );
    case 'unknown-state':
      return (
        `${counted(count, 'instance')} of saga '${saga}' version ${version}: state '${name}' is unknown to version ${by} of this build, which can't go on ` +
        `with them. Keep the state; or rename it in the next version, with migrate: { ${version}: { states: { '${name}': '…' } } }.`
      );
    case 'unknown-compensation':
      return (
        `${counted(count, 'undo step')} of saga '${saga}' version ${version}: compensation '${name}' is unknown to version ${by} of this build. An ` +
        `instance that comes to such a step is held. Keep the compensation until these instances have ended.`
      );
    case 'unknown-timer':
      return (
        `${counted(count, 'timer')} of saga '${saga}': no version in this build has '${name}', so nothing happens when it is due. Keep the time-out or ` +
        `schedule as it was in the version that armed it, and change it in the next version.`
      );
    case 'unreadable-instance':
      return (
        `${counted(count, 'instance')} of saga '${saga}' version ${version}: their undo steps can't be read by any build, since something else has written ` +
        `them. Each is held when something comes for it: repair its row, or archive it and undo by hand what it has done.`
      );
    case 'unserved-destination':
      return (
        `${counted(count, 'message')} for '${name}', which nobody in this build serves: they wait for ever. Keep the handler under that name ` +
        `(@Handles(Message, { name: '…' })) until they are done, or say that another application serves it.`
      );
    default:
      return kind satisfies never;
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
