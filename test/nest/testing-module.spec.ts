import { Controller, Get, Inject, Injectable, Module } from '@nestjs/common';
import { globalOrchestrator } from '@nestjs-orchestrator/core';
import { RecorderAssertionError, VirtualClockError } from '@nestjs-orchestrator/testing';
import { createOrchestratorTestingModule } from '@nestjs-orchestrator/testing/nest';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  OrchestratorModule,
  UseRateLimit,
  defineMachine,
  machineDecorators,
  type ActivityContext,
} from '@nestjs-orchestrator/nest';
import { Bell, DoorMachine, DoorService, door } from './support/door.js';
import { TicketModule } from './support/application.js';
import { Opened, ticketSaga } from './support/ticket.js';

@Module({
  imports: [OrchestratorModule.forFeature([door])],
  providers: [DoorMachine, Bell, DoorService],
})
class DoorModule {}

const testing = async (...given: Parameters<typeof createOrchestratorTestingModule>) => {
  const t = await createOrchestratorTestingModule(...given);
  onTestFinished(() => t.close());
  return t;
};

describe('createOrchestratorTestingModule', () => {
  it('starts an application on virtual time and records its machines', async () => {
    const t = await testing({ imports: [DoorModule] });
    const front = await t.machines(door).spawn({ id: 'front' });
    await front.send({ type: 'OPEN' });
    await t.settled();
    t.recorder.expectPath('front', ['shut', 'open']);
    t.recorder.expectEffect({ kind: 'action', name: 'ring', machine: 'front' }, { times: 1 });
    t.recorder.expectEffect({ kind: 'activity', name: 'watch' });

    await t.advance('4999ms');
    t.recorder.expectNoTransition({ to: 'shut' });
    await t.advanceTo(t.clock.now() + 1);
    t.recorder.expectPath('front', ['shut', 'open', 'shut']);
    t.recorder.expectNoFailures();
    expect(() => t.recorder.expectPath('front', ['shut'])).toThrow(RecorderAssertionError);
  });

  it('records from the first hook on', async () => {
    @Injectable()
    class Opener {
      constructor(@Inject(DoorService) private readonly service: DoorService) {}

      async onApplicationBootstrap() {
        await this.service.doors.spawn({ id: 'first' });
      }
    }
    @Module({
      imports: [OrchestratorModule.forFeature([door])],
      providers: [DoorMachine, Bell, DoorService, Opener],
    })
    class OpenerModule {}
    const t = await testing({ imports: [OpenerModule] });
    expect(t.recorder.path('first')).toEqual(['shut']);
  });

  it('runs timers until no machine has one left', async () => {
    const t = await testing({ imports: [DoorModule] });
    const began = t.clock.now();
    const front = await t.machines(door).spawn({ id: 'front' });
    await front.request({ type: 'OPEN' });
    await t.runAll();
    t.recorder.expectPath('front', ['shut', 'open', 'shut']);
    expect(t.clock.now() - began).toBeGreaterThanOrEqual(5_000);
    expect(t.clock.now() - began).toBeLessThan(6_000);
  });

  it('gives up on machines whose timers never end', async () => {
    const clockwork = defineMachine({
      id: 'clockwork',
      initial: 'tick',
      states: { tick: { after: { 100: 'tock' } }, tock: { after: { 100: 'tick' } } },
    });
    const t = await testing({ imports: [OrchestratorModule.forFeature([clockwork])] });
    await t.orchestrator.spawn(clockwork);
    await expect(t.runAll({ most: 50 })).rejects.toThrow(VirtualClockError);
  });

  it('has a channel group of its own, which ends with it', async () => {
    const before = globalOrchestrator().groups().length;
    const [first, second] = await Promise.all([
      testing({ imports: [DoorModule] }),
      testing({ imports: [DoorModule] }),
    ]);
    await first.machines(door).spawn({ id: 'front' });
    await second.machines(door).spawn({ id: 'front' });
    await first.close();
    expect(second.orchestrator.find('front')).toBeDefined();
    await second.close();
    expect(globalOrchestrator().groups()).toHaveLength(before);
  });

  it('closes although an activity ignores its signal, by moving time', async () => {
    const stubborn = defineMachine({
      id: 'stubborn',
      initial: 'a',
      states: { a: { invoke: { src: 'wait' } } },
    });
    const { Machine, Activity } = machineDecorators(stubborn);
    @Machine()
    class Stubborn {
      @Activity('wait')
      wait(_ctx: ActivityContext<typeof stubborn>) {
        return new Promise(() => {});
      }
    }
    const t = await createOrchestratorTestingModule({
      imports: [OrchestratorModule.forFeature([stubborn])],
      providers: [Stubborn],
    });
    await t.orchestrator.spawn(stubborn);
    const before = t.clock.now();
    await t.close();
    expect(t.clock.now()).toBeGreaterThan(before);
  });

  it('runs sagas in memory, whose timers move with the clock', async () => {
    const t = await testing({ imports: [TicketModule] });
    await t.bus.publish(new Opened({ ticketId: 't1' }));
    await t.settled();
    const tickets = t.sagas(ticketSaga);
    expect(await tickets.findByCorrelation('t1')).toMatchObject({ state: 'valid' });
    await t.advance('24h');
    expect(await tickets.findByCorrelation('t1')).toMatchObject({ state: 'used', status: 'completed' });
  });

  it('lets providers be replaced, and limits be fed by the clock', async () => {
    @Injectable()
    class Api {
      @UseRateLimit({ maxTransitionsPerSecond: 1, burstCapacity: 1 })
      async call(): Promise<string> {
        return 'real';
      }
    }
    const bell = { rung: [], lines: [], limit: 0 };
    const t = await testing(
      { imports: [DoorModule], providers: [Api] },
      { configure: (builder) => builder.overrideProvider(Bell).useValue(bell) },
    );
    const front = await t.machines(door).spawn();
    expect(await front.request({ type: 'OPEN' })).toMatchObject({ changed: false });
    const api = t.get(Api);
    await api.call();
    await expect(api.call()).rejects.toThrow('Rate limit exceeded');
    await t.advance('1s');
    expect(await api.call()).toBe('real');
  });

  it('makes an HTTP application if it is asked for one', async () => {
    @Controller()
    class Hello {
      @Get('hello')
      hello() {
        return 'hello';
      }
    }
    const t = await testing({ imports: [DoorModule], controllers: [Hello] }, { http: true });
    await t.app.listen(0, '127.0.0.1');
    expect(await (await fetch(`${await t.app.getUrl()}/hello`)).text()).toBe('hello');
    const other = await testing({});
    expect(() => other.app).toThrow('{ http: true }');
  });
});
