import { Module, type DynamicModule, type ModuleMetadata, type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { OrchestratorModule, type OrchestratorModuleOptions } from '@nestjs-orchestrator/nest';
import { LogLines } from './log-lines.js';
import { Cashier, Desk, TicketSaga, TicketService, ticketSaga } from './ticket.js';

/** The module of the ticket saga, as an application writes it. */
@Module({
  imports: [OrchestratorModule.forFeature([ticketSaga])],
  providers: [TicketSaga, Desk, Cashier, TicketService],
})
export class TicketModule {}

/** An application that runs. */
export interface Application {
  readonly module: TestingModule;
  readonly lines: LogLines;
}

/** Boots the given modules on a store in memory, or on what `options` say. */
export async function boot(
  imports: NonNullable<ModuleMetadata['imports']>,
  options: OrchestratorModuleOptions = {},
): Promise<Application> {
  const lines = new LogLines();
  return run([OrchestratorModule.forRoot({ logger: lines, ...options }), ...imports], lines);
}

/** Boots modules that bring their own `forRoot`. */
export async function run(
  imports: NonNullable<ModuleMetadata['imports']>,
  lines: LogLines,
): Promise<Application> {
  const module = await Test.createTestingModule({ imports }).compile();
  return { module: await module.init(), lines };
}

/** A module with a name of its own, made of metadata. */
export function named(name: string, metadata: ModuleMetadata): Type<unknown> | DynamicModule {
  const made = { [name]: class {} }[name] as Type<unknown>;
  return { module: made, ...metadata };
}
