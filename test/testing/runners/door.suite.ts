import { defineMachine } from '@nestjs-orchestrator/core';
import { OrchestratorModule } from '@nestjs-orchestrator/nest';
import { createOrchestratorTestingModule } from '@nestjs-orchestrator/testing/nest';

const door = defineMachine({
  id: 'door',
  initial: 'shut',
  states: { shut: { on: { OPEN: 'open' } }, open: { after: { 5_000: 'shut' } } },
});

type Test = (name: string, run: () => Promise<void>) => unknown;

/** The same tests under each runner: nothing in them is of the runner. */
export function doorSuite(test: Test): void {
  for (const nth of ['first', 'second']) {
    test(`a door shuts by itself, the ${nth} time`, async () => {
      const t = await createOrchestratorTestingModule({ imports: [OrchestratorModule.forFeature([door])] });
      const front = await t.machines(door).spawn({ id: 'front' });
      await front.send({ type: 'OPEN' });
      await t.advance('5s');
      t.recorder.expectPath('front', ['shut', 'open', 'shut']);
      await t.close();
    });
  }
}

/** A test whose expectation is wrong. */
export function wrongSuite(test: Test): void {
  test('a door that stays open', async () => {
    const t = await createOrchestratorTestingModule({ imports: [OrchestratorModule.forFeature([door])] });
    const front = await t.machines(door).spawn({ id: 'front' });
    await front.send({ type: 'OPEN' });
    await t.settled();
    try {
      t.recorder.expectPath('front', ['shut']);
    } finally {
      await t.close();
    }
  });
}
