import { DBOS } from '@dbos-inc/dbos-sdk';
import { POOL } from './server.js';

/** The same order as a DBOS workflow: three steps, each checkpointed. */
const orderWorkflow = DBOS.registerWorkflow(
  async (orderId: string) => {
    await DBOS.runStep(async () => ({ orderId, paid: true }), { name: 'charge' });
    await DBOS.runStep(async () => ({ orderId, reserved: true }), { name: 'reserve' });
    await DBOS.runStep(async () => ({ orderId, shipped: true }), { name: 'ship' });
    return orderId;
  },
  { name: 'order' },
);

/** Launches DBOS on a database of its own. */
export async function startDbos(
  url: string,
): Promise<{ place(orderId: string): Promise<void>; close(): Promise<void> }> {
  DBOS.setConfig({
    name: 'bench',
    systemDatabaseUrl: url,
    systemDatabasePoolSize: POOL,
    logLevel: 'error',
    tracingEnabled: false,
    enableOTLP: false,
  });
  await DBOS.launch();
  return {
    place: async (orderId) => {
      await orderWorkflow(orderId);
    },
    close: () => DBOS.shutdown(),
  };
}
