import {
  Inject,
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Observable } from 'rxjs';
import { CurrentTenant } from './current-tenant.js';
import { sourceOf } from './tenant-source.js';

/** Runs route and message handlers as the tenant of their request: what they do by `MessageBus` and repositories is that tenant's. */
@Injectable()
export class TenantInterceptor implements NestInterceptor {
  constructor(@Inject(CurrentTenant) private readonly tenants: CurrentTenant) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (!this.tenants.isTold) return next.handle();
    const tenant = this.tenants.of(sourceOf(context));
    return new Observable((subscriber) =>
      this.tenants.run(tenant, () => next.handle().subscribe(subscriber)),
    );
  }
}
