import type { SagaStatus, StoredInstance } from '@nestjs-orchestrator/core/ports';

/** An instance as the statements hand it out: columns are named as the port's fields are. */
export interface InstanceRow extends Omit<StoredInstance, 'status'> {
  readonly status: string;
}

/** Only the port's fields, whatever else the row carries. */
export function storedInstance(row: InstanceRow): StoredInstance {
  const { tenant, saga, id, version, definitionVersion, state, data, machine, undo, hold, ended } = row;
  return {
    tenant,
    saga,
    id,
    version,
    definitionVersion,
    state,
    data,
    machine,
    undo,
    hold,
    ended,
    status: row.status as SagaStatus,
    openDeliveries: row.openDeliveries,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    endedAt: row.endedAt,
  };
}
