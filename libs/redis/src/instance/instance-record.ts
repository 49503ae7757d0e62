import type { InstanceRef, InstanceState, SagaStatus, StoredInstance } from '@nestjs-orchestrator/core/ports';

/** What a commit writes of an instance, as one text. */
export function packState(next: InstanceState): string {
  const { definitionVersion, state, status, data, machine, undo, hold, ended } = next;
  return JSON.stringify([definitionVersion, state, status, data, machine, undo, hold, ended]);
}

/** The fields of an instance as `loadLua` hands them back. */
export type InstanceFields = readonly [
  version: string,
  created: string,
  updated: string,
  ended: string,
  body: string,
  openDeliveries: number,
];

export function storedInstance({ tenant, saga, id }: InstanceRef, fields: InstanceFields): StoredInstance {
  const [version, created, updated, endedAt, body, openDeliveries] = fields;
  const [definitionVersion, state, status, data, machine, undo, hold, ended] = JSON.parse(body) as [
    number,
    string,
    SagaStatus,
    string,
    string,
    string,
    string | null,
    boolean,
  ];
  return {
    tenant,
    saga,
    id,
    definitionVersion,
    state,
    status,
    data,
    machine,
    undo,
    hold,
    ended,
    version: Number(version),
    openDeliveries,
    createdAt: Number(created),
    updatedAt: Number(updated),
    endedAt: endedAt === '' ? null : Number(endedAt),
  };
}
