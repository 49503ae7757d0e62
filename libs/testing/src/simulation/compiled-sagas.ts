import { compileSaga, type CompiledSaga } from '@nestjs-orchestrator/core/internal';
import type { SagaBehaviour } from '@nestjs-orchestrator/core/saga';

/** Compiles a saga once for all nodes of all runs. Behaviours that differ in nothing but their compensations, which belong to a world, share it. */
export class CompiledSagas {
  private readonly known = new WeakMap<SagaBehaviour['transitions'], CompiledSaga>();

  of(behaviour: SagaBehaviour): CompiledSaga {
    const known = this.known.get(behaviour.transitions);
    if (known !== undefined && isSame(known.behaviour, behaviour)) return { ...known, behaviour };
    const compiled = compileSaga(behaviour);
    this.known.set(behaviour.transitions, compiled);
    return compiled;
  }
}

function isSame(one: SagaBehaviour, other: SagaBehaviour): boolean {
  const { definition, hooks, joins } = one;
  return definition === other.definition && hooks === other.hooks && joins === other.joins;
}
