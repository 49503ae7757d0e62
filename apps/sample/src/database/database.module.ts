import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { dataSourceOptions, openDataSource } from './data-source.js';
import { migrateShop } from './migrate.js';

/** Provides TypeORM's `DataSource`, with the application's tables in place. */
@Module({})
export class DatabaseModule {
  static forUrl(url: string): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRootAsync({
          useFactory: () => ({ ...dataSourceOptions(url), retryAttempts: 3, retryDelay: 1_000 }),
          dataSourceFactory: async () => {
            const dataSource = await openDataSource(url);
            await migrateShop(dataSource);
            return dataSource;
          },
        }),
      ],
    };
  }
}
