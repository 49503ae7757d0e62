import type { ChannelGroup } from '@nestjs-orchestrator/core';
import { PATIENCE_MS } from '../gates.js';
import type { FamilyLine, FamilyOptions } from './harness.js';
import { LocalMember, type Member, VERBS } from './member.js';

/** What the suite asks another process for. */
export interface FamilyOrder {
  readonly number: number;
  /** Which of its members; given by the suite. */
  readonly member: number;
  readonly verb: keyof Member | 'join';
  readonly words: readonly unknown[];
}

/** What the process answers. */
export interface FamilyAnswer {
  readonly number: number;
  readonly value?: unknown;
  readonly failure?: { readonly name: string; readonly code: string | undefined; readonly message: string };
}

/** How another process makes its orchestrators. */
export interface FamilyService extends FamilyLine {
  /** As `OpenedFamily.create`; `place` is what the cases' process says about the cluster. */
  create(options: FamilyOptions, place: unknown): Promise<ChannelGroup>;
}

/**
 * Takes part in the cases of {@link orchestratorFamilyConformance} from another process, as long as that lives:
 *
 * ```ts
 * serveFamily({
 *   create: (options, place) => createOrchestrator({ ...options, transports: { mine: mine(place) } }),
 *   post: (message) => process.send(message),
 *   listen: (listener) => process.on('message', listener),
 * });
 * ```
 */
export function serveFamily(service: FamilyService): void {
  const members = new Map<number, LocalMember>();
  const carryOut = async ({ member, verb, words }: FamilyOrder): Promise<unknown> => {
    if (verb === 'join') {
      const [options, place, patienceMs = PATIENCE_MS] = words as [FamilyOptions, unknown, number?];
      members.set(member, new LocalMember(await service.create(options, place), patienceMs));
      return undefined;
    }
    const there = members.get(member);
    if (there === undefined || !VERBS.includes(verb)) throw new Error(`Member ${member} has no '${verb}'.`);
    if (verb === 'leave') members.delete(member);
    return (there[verb] as (...values: unknown[]) => Promise<unknown>).apply(there, [...words]);
  };
  service.listen((message) => {
    const order = message as FamilyOrder;
    const { number } = order;
    carryOut(order).then(
      (value) => service.post({ number, value } satisfies FamilyAnswer),
      (error: unknown) => service.post({ number, failure: failureOf(error) } satisfies FamilyAnswer),
    );
  });
}

function failureOf(error: unknown): NonNullable<FamilyAnswer['failure']> {
  const { name = 'Error', message = String(error), code } = error as Partial<Error> & { code?: string };
  return { name, message, code };
}
