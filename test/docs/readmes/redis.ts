// #region module
import { OrchestratorModule } from '@nestjs-orchestrator/nest';
import { redisStore } from '@nestjs-orchestrator/redis';
import { Redis } from 'ioredis';

const redis = new Redis('redis://localhost:6379');

OrchestratorModule.forRoot({ store: redisStore(redis) });
// #endregion
