import type { DiscoveryService } from '@nestjs/core';
import { readMachineMembers } from '@nestjs-orchestrator/nest';
import type { MachineRecorder } from '../recorder/machine-recorder.js';

type Method = (
  ctx: { readonly machine: { readonly id: string }; readonly input?: unknown },
  params?: unknown,
) => unknown;

/** Lets a recorder note each call of the actions and activities of all `@Machine()` classes. Put on instances, never on classes. */
export function observeEffects(discovery: DiscoveryService, recorder: MachineRecorder): void {
  const seen = new Set<object>();
  for (const { instance, metatype, isNotMetatype } of discovery.getProviders()) {
    const provider = instance as Record<string | symbol, unknown> | undefined;
    if (typeof provider !== 'object' || provider === null || isNotMetatype || seen.has(provider)) continue;
    seen.add(provider);
    for (const { key, role } of readMachineMembers(metatype as object)) {
      if (role.kind !== 'action' && role.kind !== 'activity') continue;
      const { kind, name } = role;
      const original = provider[key] as Method;
      const value: Method = function (this: unknown, ctx, params) {
        recorder.note({
          kind,
          name,
          machine: ctx.machine.id,
          params: kind === 'activity' ? ctx.input : params,
        });
        return original.call(this, ctx, params);
      };
      Object.defineProperty(provider, key, { value, writable: true, configurable: true });
    }
  }
}
