// #region module
import { OrchestratorModule } from '@nestjs-orchestrator/nest';
import { typeormStore } from '@nestjs-orchestrator/typeorm';
import { DataSource } from 'typeorm';

OrchestratorModule.forRootAsync({
  inject: [DataSource],
  useFactory: (dataSource: DataSource) => ({ store: typeormStore(dataSource) }),
});
// #endregion
