import type { LogFields, Logger } from '../../ports/logger.js';
import type { GroupIdentity } from '../options.js';

/** What a hook throws neither breaks a step nor vanishes: it reaches the process as an uncaught error. */
function surface(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

export function guardedLogger(logger: Logger): Logger {
  const guarded =
    (level: keyof Logger) =>
    (message: string, fields?: LogFields): void => {
      try {
        logger[level](message, fields);
      } catch (error) {
        surface(error);
      }
    };
  return { debug: guarded('debug'), info: guarded('info'), warn: guarded('warn'), error: guarded('error') };
}

/** A rule that throws lets nobody in. */
export function guardedRule(rule: (group: GroupIdentity) => boolean): (group: GroupIdentity) => boolean {
  return (group) => {
    try {
      return rule(group);
    } catch (error) {
      surface(error);
      return false;
    }
  };
}
