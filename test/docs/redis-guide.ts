import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { OrchestratorModule } from '@nestjs-orchestrator/nest';
import { redisStore } from '@nestjs-orchestrator/redis';
import { Cluster, Redis } from 'ioredis';

// #region module
@Module({
  providers: [{ provide: Redis, useFactory: () => new Redis('redis://localhost:6379') }],
  exports: [Redis],
})
class RedisModule implements OnApplicationShutdown {
  constructor(@Inject(Redis) private readonly redis: Redis) {}

  // Whoever makes a client closes it; the store closes the two connections that it makes itself.
  onApplicationShutdown() {
    this.redis.disconnect();
  }
}

@Module({
  imports: [
    OrchestratorModule.forRootAsync({
      imports: [RedisModule],
      inject: [Redis],
      useFactory: (redis: Redis) => ({ store: redisStore(redis, { prefix: 'shop' }) }),
    }),
  ],
})
export class AppModule {}
// #endregion

// #region cluster
export const store = redisStore(new Cluster([{ host: '10.0.0.1', port: 6379 }]));
// #endregion
