import { OrchestratorError } from '@nestjs-orchestrator/core';

/** A decorator stands where it can't work. */
export class DecoratorTargetError extends OrchestratorError {
  readonly code = 'DECORATOR_TARGET';
}

/** Refuses static methods, which no instance could be injected into. */
export function assertInstanceMethod(target: object, key: string | symbol, decorator: string): void {
  if (typeof target !== 'function') return;
  throw new DecoratorTargetError(
    `@${decorator} stands on ${target.name}.${String(key)}, which is static. Put it on a method of the class's instances.`,
  );
}
