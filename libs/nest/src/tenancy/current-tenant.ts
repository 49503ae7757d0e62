import { AsyncLocalStorage } from 'node:async_hooks';
import { checkTenant, type TenantResolver, type TenantSource } from './tenant-source.js';

/** The tenant of what is being handled, of one application. */
export class CurrentTenant {
  private readonly storage = new AsyncLocalStorage<string>();

  constructor(private readonly resolve: TenantResolver | undefined) {}

  /** Whether there is anything to tell tenants by. */
  get isTold(): boolean {
    return this.resolve !== undefined;
  }

  /** `undefined`: the default one. */
  get(): string | undefined {
    return this.storage.getStore();
  }

  /** @throws TenantError, and what the resolver throws */
  of(source: TenantSource): string | undefined {
    return checkTenant(this.resolve?.(source));
  }

  /** Runs a task, and whatever it starts, as that tenant. */
  run<T>(tenant: string | undefined, task: () => T): T {
    return tenant === undefined ? this.storage.exit(task) : this.storage.run(tenant, task);
  }
}
