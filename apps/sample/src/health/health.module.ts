import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { OrchestratorModule } from '@nestjs-orchestrator/nest';
import { HealthController } from './health.controller.js';

@Module({ imports: [TerminusModule, OrchestratorModule.forFeature([])], controllers: [HealthController] })
export class HealthModule {}
