import { Injectable, Scope, type ModuleMetadata } from '@nestjs/common';
import { expect, it } from 'vitest';
import {
  OrchestratorBootError,
  OrchestratorModule,
  UseRetry,
  defineMachine,
  machineDecorators,
  type OrchestratorModuleOptions,
} from '@nestjs-orchestrator/nest';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import { boot, named } from './support/application.js';
import { Bell, DoorMachine, door } from './support/door.js';

type Imports = NonNullable<ModuleMetadata['imports']>;

/** Boots, expects a refusal, and says why. */
async function refusal(
  imports: Imports,
  options: OrchestratorModuleOptions = {},
): Promise<readonly string[]> {
  const error: unknown = await boot(imports, { store: memoryStore(), ...options }).catch(
    (reason: unknown) => reason,
  );
  if (!(error instanceof OrchestratorBootError)) throw error;
  return error.faults.map((fault) => `${fault.code}: ${fault.message}`);
}

const feature = OrchestratorModule.forFeature([door]);
const doors = named('DoorModule', { imports: [feature], providers: [DoorMachine, Bell] });
const { Machine, Action, Guard, Activity, Delay } = machineDecorators(door);

it('a definition whose names are open needs a class', async () => {
  expect(await refusal([named('DoorModule', { imports: [feature] })])).toEqual([
    "MISSING_MACHINE_CLASS: machine 'door', registered by DoorModule, uses names that nobody implements: action 'ring' (at " +
      "door.states.shut.on.OPEN.actions[1]), guard 'isFree' (at door.states.shut.on.OPEN.guard), delay 'grace' (at " +
      "door.states.open.after.grace), activity 'watch' (at door.states.open.invoke.src). Add its @Machine() class to the providers of a " +
      'module, or bind them in defineMachine().',
  ]);
});

it('a class implements all names that the definition leaves open', async () => {
  @Machine()
  class HalfMachine {
    @Action('ring')
    ring() {}

    @Activity('watch')
    watch() {}
  }
  expect(await refusal([named('HalfModule', { imports: [feature], providers: [HalfMachine] })])).toEqual([
    "UNBOUND_NAMES: HalfMachine (in HalfModule), the class of machine 'door', does not implement guard 'isFree' (at " +
      "door.states.shut.on.OPEN.guard), delay 'grace' (at door.states.open.after.grace). Add @Guard('isFree'), @Delay('grace'), or bind " +
      'them in defineMachine().',
  ]);
});

it('a class needs a registered definition, and is told when another one of its id is', async () => {
  expect(await refusal([named('LoneModule', { providers: [DoorMachine, Bell] })])).toEqual([
    "UNREGISTERED_MACHINE: DoorMachine (in LoneModule) is the @Machine() of machine 'door', which no forFeature registers. Add " +
      'OrchestratorModule.forFeature([definition]) to the imports of LoneModule.',
  ]);
  const twin = defineMachine({ id: 'door', initial: 'a', states: { a: {} } });
  const imports = [OrchestratorModule.forFeature([twin])];
  expect(await refusal([named('TwinModule', { imports, providers: [DoorMachine, Bell] })])).toEqual([
    expect.stringContaining(
      'Another definition of that id is registered: use the same object in both places.',
    ),
  ]);
});

it('a definition is one object for one id, in one channel group', async () => {
  const twin = defineMachine({ id: 'door', initial: 'a', states: { a: {} } });
  const other = named('OtherModule', { imports: [OrchestratorModule.forFeature([twin])] });
  expect(await refusal([doors, other])).toEqual([
    "DUPLICATE_MACHINE: machine 'door' is defined twice: registered by DoorModule and, as another definition, by OtherModule. Share " +
      'one defineMachine(), or give one of them another id.',
  ]);
  const moved = named('MovedModule', {
    imports: [OrchestratorModule.forFeature([door], { channelGroup: 'billing' })],
  });
  expect(await refusal([doors, moved])).toEqual([
    expect.stringContaining(
      "machine 'door' is registered by DoorModule, MovedModule in 2 channel groups of the application: its own and 'billing'.",
    ),
  ]);
});

it('a class is provided once', async () => {
  const again = named('AgainModule', { providers: [DoorMachine, Bell] });
  expect(await refusal([doors, again])).toEqual([
    "DUPLICATE_MACHINE_CLASS: machine 'door' has 2 classes: DoorMachine (in DoorModule) and DoorMachine (in AgainModule). Provide one of " +
      'them, in one module; others reach its machines through @InjectMachine.',
  ]);
});

it('a class needs @Machine() as well as its names, implements each of them once, and for one machine', async () => {
  @Injectable()
  class Bare {
    @Action('ring')
    ring() {}
  }
  const window = defineMachine({ id: 'window', initial: 'a', states: { a: { entry: 'ring' } } });
  const other = machineDecorators(window);
  @Machine()
  class Double {
    @Action('ring')
    ring() {}

    @Action('ring')
    again() {}

    @other.Action('ring')
    foreign() {}

    @Guard('isFree')
    isFree() {
      return true;
    }

    @Activity('watch')
    watch() {}

    @Delay('grace')
    readonly grace = 'soon' as '1s';
  }
  const imports = [feature, OrchestratorModule.forFeature([])];
  expect(await refusal([named('DoorModule', { imports, providers: [Double, Bare] })])).toEqual([
    "MISSING_MACHINE_DECORATOR: Bare (in DoorModule) implements names of machine 'door', but has no @Machine(). Decorate the class with it.",
    "MACHINE_MEMBER: Double.again (in DoorModule) is the second member for action 'ring'.",
    "MACHINE_MEMBER: Double.foreign (in DoorModule) has a decorator of another machine, 'window'.",
    expect.stringContaining("MACHINE_MEMBER: Double.grace (in DoorModule) 'soon' is not a duration."),
  ]);
});

it('a class is a singleton', async () => {
  const providers = [{ provide: DoorMachine, useClass: DoorMachine, scope: Scope.TRANSIENT }, Bell];
  expect(await refusal([named('ScopedModule', { imports: [feature], providers })])).toEqual([
    "SCOPED_PROVIDER: DoorMachine (in ScopedModule), the class of machine 'door', is transient. Machine classes are stateless singletons: " +
      'remove the scope, and keep what belongs to one machine in its context.',
  ]);
});

it('an action has no policies, which would record twice what a retry runs again', async () => {
  const plain = defineMachine({
    id: 'plain',
    initial: 'a',
    states: { a: { entry: 'go', invoke: { src: 'work' } } },
  });
  const { Machine, Action, Activity } = machineDecorators(plain);
  @Machine()
  class Plain {
    @UseRetry()
    @Action('go')
    async go() {}

    @UseRetry()
    @Activity('work')
    async work() {}
  }
  const imports = [OrchestratorModule.forFeature([plain])];
  expect(await refusal([named('PlainModule', { imports, providers: [Plain] })])).toEqual([
    expect.stringContaining('POLICY_ON_HANDLER: Plain.go (in PlainModule)'),
  ]);
});

it('options for a channel group that nobody declares are refused', async () => {
  const machines = { channelGroups: { biling: {} } };
  expect(await refusal([doors], { machines })).toEqual([
    "UNKNOWN_CHANNEL_GROUP: machines.channelGroups of OrchestratorModule.forRoot() has options for 'biling', a channel group that no " +
      "forFeature([…], { channelGroup: 'biling' }) declares.",
  ]);
});

it('names that a base class implements do not count', async () => {
  @Machine()
  class Derived extends DoorMachine {
    @Action('ring')
    override ring() {}
  }
  expect(await refusal([named('DoorModule', { imports: [feature], providers: [Derived, Bell] })])).toEqual([
    expect.stringContaining(
      "UNBOUND_NAMES: Derived (in DoorModule), the class of machine 'door', does not implement guard 'isFree'",
    ),
  ]);
});
