import { Inject, Injectable } from '@nestjs/common';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { globalOrchestrator } from '@nestjs-orchestrator/core';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ApplicationNotStartedError,
  BatchService,
  type ChannelGroup,
  InjectChannelGroup,
  Orchestrator,
  OrchestratorModule,
  defineMachine,
  getMachineToken,
  machineDecorators,
  type ActionContext,
  type FeatureOptions,
  type MachineHandle,
  type OrchestratorModuleOptions,
} from '@nestjs-orchestrator/nest';
import { TicketModule, boot, named } from './support/application.js';
import { Bell, DoorMachine, DoorService, door, type Door } from './support/door.js';
import { Opened } from './support/ticket.js';

const doorModule = (options?: FeatureOptions) =>
  named('DoorModule', {
    imports: [OrchestratorModule.forFeature([door], options)],
    providers: [DoorMachine, Bell, DoorService],
  });

async function started(imports = [doorModule()], options: OrchestratorModuleOptions = {}) {
  const clock = new VirtualClock();
  const { module, lines } = await boot(imports, { clock, store: memoryStore({ clock }), ...options });
  onTestFinished(() => module.close());
  const get = <T>(token: unknown): T => module.get<T>(token as never, { strict: false });
  return { module, lines, clock, get };
}

describe('a machine class', () => {
  it('implements actions, guards, activities and delays with what is injected into it', async () => {
    const { get, clock } = await started();
    const { doors } = get<DoorService>(DoorService);
    const bell = get<Bell>(Bell);
    const front = await doors.spawn({ id: 'front' });
    await front.request({ type: 'OPEN' });
    expect(front.snapshot().context).toEqual({ opened: 1 });
    expect(bell.rung).toEqual(['front']);

    await clock.advance(4_999);
    expect(bell.lines).toEqual(['front opened by OPEN']);
    await clock.advance(1);
    expect(bell.lines).toEqual(['front opened by OPEN', 'watch aborted']);
    await front.waitFor('shut');

    bell.limit = 1;
    expect(await front.request({ type: 'OPEN' })).toMatchObject({ changed: false });
  });

  it('is told of the transitions that it asks for, after they were adopted', async () => {
    const { get } = await started();
    const { doors } = get<DoorService>(DoorService);
    const front = await doors.spawn({ id: 'front' });
    await front.request({ type: 'OPEN' });
    await front.request({ type: 'CLOSE' });
    const told = get<Bell>(Bell).lines.filter((line) => line.startsWith('front'));
    expect(told).toEqual(['front opened by OPEN', 'front closed']);
  });

  it('sees a spy that a test puts on its instance', async () => {
    const { get } = await started();
    const machine = get<DoorMachine>(DoorMachine);
    machine.isFree = () => false;
    const front = await get<DoorService>(DoorService).doors.spawn();
    expect(await front.request({ type: 'OPEN' })).toMatchObject({ changed: false });
  });

  it('may compute a delay from its own configuration', async () => {
    @Injectable()
    class Settings {
      readonly grace = 250;
    }
    const { Machine, Action, Guard, Activity, Delay } = machineDecorators(door);
    @Machine()
    class Computed {
      constructor(@Inject(Settings) private readonly settings: Settings) {}

      @Delay('grace')
      grace({ context }: { context: { opened: number } }) {
        return this.settings.grace * context.opened;
      }

      @Action('ring')
      ring() {}

      @Guard('isFree')
      isFree() {
        return true;
      }

      @Activity('watch')
      watch({ signal }: { signal: AbortSignal }) {
        return new Promise((resolve) => signal.addEventListener('abort', resolve));
      }
    }
    const module = named('ComputedModule', {
      imports: [OrchestratorModule.forFeature([door])],
      providers: [Computed, Settings],
    });
    const { get, clock } = await started([module]);
    const front = await get<MachineHandle<Door>>(getMachineToken(door)).spawn();
    await front.request({ type: 'OPEN' });
    await clock.advance(249);
    expect(front.snapshot().context).toEqual({ opened: 1 });
    await front.waitFor('open');
    await clock.advance(1);
    await front.waitFor('shut');
  });

  it('whose listener fails is named in the log, and changes nothing', async () => {
    const bolt = defineMachine({ id: 'bolt', initial: 'a', states: { a: { on: { GO: 'b' } }, b: {} } });
    const { Machine, OnTransition } = machineDecorators(bolt);
    @Machine()
    class BoltMachine {
      @OnTransition()
      async moved() {
        throw new Error('no disk');
      }
    }
    const module = named('BoltModule', {
      imports: [OrchestratorModule.forFeature([bolt])],
      providers: [BoltMachine],
    });
    const { get, lines } = await started([module]);
    const ref = await get<MachineHandle<typeof bolt>>(getMachineToken(bolt)).spawn();
    await ref.request({ type: 'GO' });
    await lines.seen('BoltMachine.moved failed');
    expect(lines.all.at(-1)).toMatchObject({ level: 'error', fields: { error: 'Error: no disk' } });
  });

  it('is not needed where the definition binds all names', async () => {
    const plain = defineMachine(
      { id: 'plain', initial: 'a', states: { a: { on: { GO: { target: 'b', actions: 'note' } } }, b: {} } },
      { actions: { note: () => {} } },
    );
    const module = named('PlainModule', { imports: [OrchestratorModule.forFeature([plain])] });
    const { get } = await started([module]);
    const ref = await get<Orchestrator>(Orchestrator).spawn(plain);
    expect((await ref.request({ type: 'GO' })).changed).toBe(true);
  });
});

describe('Orchestrator', () => {
  it("is the application's group, and knows its machines only", async () => {
    const first = await started();
    const second = await started();
    await first.get<DoorService>(DoorService).doors.spawn({ id: 'front' });
    expect(
      first
        .get<Orchestrator>(Orchestrator)
        .machines()
        .map(({ id }) => id),
    ).toEqual(['front']);
    expect(second.get<Orchestrator>(Orchestrator).find('front')).toBeUndefined();
    await second.get<DoorService>(DoorService).doors.spawn({ id: 'front' });
    await first.module.close();
    expect(second.get<Orchestrator>(Orchestrator).find('front')).toBeDefined();
  });

  it('opens with the application and is released with it', async () => {
    const before = globalOrchestrator().groups().length;
    const { module, get } = await started([doorModule()], { machines: { name: 'shop' } });
    const group = get<Orchestrator>(Orchestrator) as ChannelGroup;
    expect(
      globalOrchestrator()
        .groups()
        .map(({ name }) => name),
    ).toContain('shop');
    const front = await get<DoorService>(DoorService).doors.spawn({ id: 'front' });
    await front.request({ type: 'OPEN' });
    await module.close();
    expect(group.released).toBe(true);
    expect(globalOrchestrator().groups()).toHaveLength(before);
    expect(get<Bell>(Bell).lines).toContain('watch aborted');
    await expect(front.send({ type: 'CLOSE' })).rejects.toThrow(/released/);
  });

  it('leaves no group behind when the application can not start', async () => {
    const before = globalOrchestrator().groups().length;
    await expect(boot([named('LoneModule', { providers: [DoorMachine, Bell] })])).rejects.toThrow(
      'UNREGISTERED',
    );
    const broken = defineMachine(
      { id: 'broken', initial: 'a', states: { a: { invoke: { src: 'work' } } } },
      { actors: { work: { transition: 'of some other library' } } },
    );
    const module = named('BrokenModule', { imports: [OrchestratorModule.forFeature([broken])] });
    await expect(boot([module])).rejects.toThrow("Machine 'broken': 'work'");
    expect(globalOrchestrator().groups()).toHaveLength(before);
  });

  it('says so when it is asked too early', async () => {
    @Injectable()
    class Early {
      readonly asked: Promise<unknown>;
      constructor(@Inject(Orchestrator) orchestrator: Orchestrator) {
        this.asked = orchestrator.spawn(door).catch((error: unknown) => error);
      }
    }
    const module = named('EarlyModule', {
      imports: [OrchestratorModule.forFeature([door])],
      providers: [Early, DoorMachine, Bell],
    });
    const { get } = await started([module]);
    expect(await get<Early>(Early).asked).toBeInstanceOf(ApplicationNotStartedError);
  });

  it('tells listeners that came before it opened', async () => {
    @Injectable()
    class Watcher {
      readonly seen: string[] = [];
      constructor(@Inject(Orchestrator) orchestrator: Orchestrator) {
        const stop = orchestrator.subscribe(() => this.seen.push('never'));
        orchestrator.subscribe((record) => {
          if ('machine' in record) this.seen.push(`${record.type} ${record.machine.id}`);
        });
        stop();
      }
    }
    const module = named('WatcherModule', {
      imports: [OrchestratorModule.forFeature([])],
      providers: [Watcher],
    });
    const { get } = await started([doorModule(), module]);
    await get<DoorService>(DoorService).doors.spawn({ id: 'front' });
    expect(get<Watcher>(Watcher).seen).toEqual(['spawned front']);
  });
});

describe('named channel groups', () => {
  @Injectable()
  class Billing {
    constructor(@InjectChannelGroup('billing') readonly group: ChannelGroup) {}
  }
  const billing = () =>
    named('BillingModule', {
      imports: [OrchestratorModule.forFeature([door], { channelGroup: 'billing' })],
      providers: [DoorMachine, Bell, DoorService, Billing],
    });

  it('hold the machines that forFeature gives them, apart from the rest', async () => {
    const { get } = await started([billing()]);
    const front = await get<DoorService>(DoorService).doors.spawn({ id: 'front' });
    const { group } = get<Billing>(Billing);
    expect(group.name).toBe('billing');
    expect(group.find('front')?.scopedId).toBe(front.scopedId);
    expect(get<Orchestrator>(Orchestrator).find('front')).toBeUndefined();
  });

  it('take limits of their own, and are released with the application', async () => {
    const { get, module } = await started([billing()], {
      machines: { channelGroups: { billing: { maxMachines: 1 } } },
    });
    const { doors } = get<DoorService>(DoorService);
    await doors.spawn();
    await expect(doors.spawn()).rejects.toThrow(/maxMachines/);
    await module.close();
    expect(get<Billing>(Billing).group.released).toBe(true);
  });

  it('may be made for a tenant at run time, with what the class implements', async () => {
    const { get } = await started();
    const tenant = globalOrchestrator().createChannelGroup('tenant-a');
    onTestFinished(() => tenant.release());
    const doors = get<DoorService>(DoorService).doors.registerIn(tenant);
    const front = await doors.spawn({ id: 'front' });
    await front.request({ type: 'OPEN' });
    expect(get<Bell>(Bell).lines).toEqual(['front opened by OPEN']);
    expect(get<Orchestrator>(Orchestrator).find('front')).toBeUndefined();
  });
});

it('an action of one machine sends to another one when its step is adopted', async () => {
  const relay = defineMachine({
    id: 'relay',
    initial: 'idle',
    states: { idle: { on: { PRESS: { actions: 'open' } } } },
  });
  const { Machine, Action } = machineDecorators(relay);
  @Machine()
  class RelayMachine {
    @Action('open')
    open(ctx: ActionContext<typeof relay>) {
      ctx.send('front', { type: 'OPEN' });
    }
  }
  const module = named('RelayModule', {
    imports: [OrchestratorModule.forFeature([relay])],
    providers: [RelayMachine],
  });
  const { get } = await started([doorModule(), module]);
  const orchestrator = get<Orchestrator>(Orchestrator);
  const front = await orchestrator.spawn(door, { id: 'front' });
  const button = await orchestrator.spawn(relay, { id: 'button' });
  await button.send({ type: 'PRESS' });
  await front.waitFor('open');
  expect(get<Bell>(Bell).rung).toEqual(['front']);
});

it('BatchService fires at machines and the bus of the application', async () => {
  const { get } = await started([doorModule(), TicketModule]);
  const { doors } = get<DoorService>(DoorService);
  const [front, back] = [await doors.spawn({ id: 'front' }), await doors.spawn({ id: 'back' })];
  const result = await get<BatchService>(BatchService).fire([
    { machine: front, event: { type: 'OPEN' } },
    { machine: 'back', event: { type: 'OPEN' } },
    { machine: 'nowhere', event: { type: 'OPEN' } },
    { publish: new Opened({ ticketId: 'b1' }) },
  ]).result;
  expect(result).toMatchObject({ succeeded: 3, failed: 1 });
  expect(back.snapshot().context).toEqual({ opened: 1 });
});
