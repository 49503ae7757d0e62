import { Injectable } from '@nestjs/common';
import type { AnySaga, ErasedGuard } from '@nestjs-orchestrator/core/saga';
import type { Duration, MessageType } from '@nestjs-orchestrator/core';
import { assertInstanceMethod } from '../decorator-target.js';
import type { SagaDecorators, SagaOptions } from './saga-decorators.types.js';
import {
  writeSagaClass,
  writeSagaMember,
  writeSagaProtection,
  type SagaMemberRole,
} from './saga.metadata.js';

type States = string | readonly string[];

interface Options {
  readonly during: States;
  readonly to?: States;
  readonly if?: ErasedGuard;
}

/**
 * The decorators that give a saga its behaviour, typed for its definition: states, events, data and compensations are checked by
 * the compiler.
 *
 * ```ts
 * const { Saga, StartedBy, On, After, Compensation } = sagaDecorators(orderSaga);
 * ```
 *
 * They are read from the decorated class itself, never from its base classes. Guarded transitions of one event are tried in the order a
 * reader sees them: from the top of the class to its bottom, and from the top of a stack of decorators to its bottom.
 */
export function sagaDecorators<G extends AnySaga>(definition: G): SagaDecorators<G> {
  const member =
    (decorator: string, role: SagaMemberRole) =>
    (target: object, key: string | symbol): void => {
      assertInstanceMethod(target, key, decorator);
      writeSagaMember(target.constructor, { definition, key, role });
    };
  const decorators = {
    Saga:
      ({ protect }: SagaOptions<G> = {}) =>
      (target: new (...args: never[]) => object) => {
        writeSagaClass(target, definition);
        if (protect !== undefined) writeSagaProtection(target, protect);
        Injectable()(target);
      },
    StartedBy: (event: MessageType, { to }: { to: string }) =>
      member('StartedBy', { kind: 'start', event, to }),
    On: (event: MessageType | string, { during, to, if: guard }: Options) =>
      typeof event === 'string'
        ? member('On', { kind: 'composite', name: event, during, to, guard })
        : member('On', { kind: 'event', event, during, to, guard }),
    After: (delay: Duration, { during, to }: { during: States; to?: States }) =>
      member('After', { kind: 'after', delay, during, to }),
    Scheduled: (name: string, { during, to, if: guard }: Options) =>
      member('Scheduled', { kind: 'schedule', name, during, to, guard }),
    Always: ({ during, to, if: guard }: Options) => member('Always', { kind: 'always', during, to, guard }),
    Done: ({ during, to, if: guard }: Options) => member('Done', { kind: 'done', during, to, guard }),
    OnEntry: (states: States) => member('OnEntry', { kind: 'entry', states }),
    OnExit: (states: States) => member('OnExit', { kind: 'exit', states }),
    Activity: (name: string) => member('Activity', { kind: 'activity', name }),
    OnDone: (activity: string, { during, to, if: guard }: Options) =>
      member('OnDone', { kind: 'outcome', activity, outcome: 'done', during, to, guard }),
    OnFailed: (activity: string, { during, to, if: guard }: Options) =>
      member('OnFailed', { kind: 'outcome', activity, outcome: 'failed', during, to, guard }),
    Compensation: (name: string) => member('Compensation', { kind: 'compensation', name }),
  };
  return decorators as unknown as SagaDecorators<G>;
}
