import { memoryStore } from '@nestjs-orchestrator/core/memory';
import type { InstanceStore, Random } from '@nestjs-orchestrator/core/ports';
import { seededRandom } from '../clock/seeded-random.js';
import { CompiledSagas } from './compiled-sagas.js';
import type { SimulatedFault, SimulationPlan } from './plan.js';
import type { SimulatedInput, SimulationScenario } from './scenario.js';
import { SimulatedNode } from './simulated-node.js';
import { SimulatedTime } from './simulated-time.js';
import { Steps, type Step } from './steps.js';

/** Taken when the module loads, so that fake timers of a test runner do not stop it. */
const { setImmediate: nextTurn } = globalThis;

/** Lets every promise chain run to its end. */
const turn = (): Promise<void> => new Promise((resolve) => void nextTurn(resolve));

/** How one run went. */
export interface SimulationResult {
  /** What was wrong; none: all was well. */
  readonly failures: readonly string[];
  readonly steps: number;
  /** A digest of all steps: two runs with the same took the same way. */
  readonly fingerprint: number;
  /** What happened, a line each; empty unless asked for. */
  readonly trace: readonly string[];
}

/** Steps after which a run is taken for one without end. */
const MOST_STEPS = 20_000;
const PATIENCE_MS = 600_000;
/** Share of the moves in which time goes on although something else could happen. */
const HASTE = 0.02;
const OUTSIDE = -1;
const OFFER_AGAIN_MS = 250;

/** Runs a plan. The same plan takes the same steps, whatever the machine. */
export function runPlan<World>(
  scenario: SimulationScenario<World>,
  plan: SimulationPlan,
  traced = false,
): Promise<SimulationResult> {
  return runCompiled(scenario, plan, traced, new CompiledSagas());
}

/** As {@link runPlan}, with sagas that other runs may have compiled already. */
export function runCompiled<World>(
  scenario: SimulationScenario<World>,
  plan: SimulationPlan,
  traced: boolean,
  compiled: CompiledSagas,
): Promise<SimulationResult> {
  return new Run(scenario, plan, traced, compiled).run();
}

class Run<World> {
  private readonly steps = new Steps();
  private readonly time = new SimulatedTime();
  private readonly random: Random;
  private readonly world: World;
  private readonly store: InstanceStore;
  private readonly connect: () => InstanceStore;
  private readonly nodes: SimulatedNode[] = [];
  private readonly started = new Set<SimulatedNode>();
  private readonly inputs: readonly SimulatedInput[];
  /** Inputs that no node has taken yet, and the node that was asked last. */
  private readonly open = new Map<number, SimulatedNode | null>();
  private readonly trace: string[] = [];
  private fingerprint = 0;
  private count = 0;
  private starts = 0;

  constructor(
    private readonly scenario: SimulationScenario<World>,
    private readonly plan: SimulationPlan,
    private readonly traced: boolean,
    private readonly compiled: CompiledSagas,
  ) {
    this.random = seededRandom(plan.seed);
    this.world = scenario.world();
    const shared = (scenario.store ?? memoryStore)();
    this.store = shared;
    this.connect = () => shared.connect();
    this.inputs = scenario.inputs(plan.inputs, seededRandom(plan.seed)).slice(0, plan.inputs);
  }

  async run(): Promise<SimulationResult> {
    for (let number = 0; number < this.plan.nodes; number += 1) this.startNode(number);
    this.inputs.forEach((_, index) => this.offer(index));
    while (this.count < MOST_STEPS && (await this.goOn()));
    const endless = this.count < MOST_STEPS ? [] : [`The run was not over after ${MOST_STEPS} steps.`];
    const failures = await this.scenario.check(this.world, this.store, this.inputs);
    const { count: steps, fingerprint, trace } = this;
    return { failures: [...endless, ...failures], steps, fingerprint, trace };
  }

  /** One step, or one move of time; `false`: that was all. */
  private async goOn(): Promise<boolean> {
    await turn();
    const wild = this.count < this.plan.chaos ? this.random : null;
    // Sometimes time goes on although something could happen.
    const hasty = wild !== null && wild.next() < HASTE;
    const step = hasty ? undefined : this.steps.take((node) => this.mayAct(node), wild);
    if (step !== undefined) {
      this.take(step);
      return true;
    }
    if (!hasty && (await this.isOver())) return false;
    const task = this.time.next(this.scenario.patienceMs ?? PATIENCE_MS);
    task?.();
    return hasty || task !== undefined;
  }

  private take(step: Step): void {
    this.count += 1;
    this.note(step.node === OUTSIDE ? step.label : `node ${step.node}: ${step.label}`);
    step.run();
    for (const fault of this.plan.faults) if (fault.step === this.count) this.suffer(fault);
  }

  private async isOver(): Promise<boolean> {
    return this.open.size === 0 && this.scenario.isOver(this.world, this.store, this.inputs);
  }

  private mayAct(node: number): boolean {
    return node === OUTSIDE || this.nodes[node]?.mayAct === true;
  }

  private startNode(number: number): void {
    const node = new SimulatedNode(number, this.starts++, {
      steps: this.steps,
      time: this.time,
      random: this.random,
      seed: this.plan.seed,
      connect: this.connect,
      equip: (host) => {
        const { sagas, handlers } = this.scenario.application(this.world);
        for (const saga of sagas) host.register(saga, this.compiled.of(saga));
        for (const handler of handlers) host.registerHandler(handler);
      },
    });
    this.nodes[number] = node;
    // An application that can't start ends, and is started again.
    node.host.start().then(
      () => this.started.add(node),
      () => this.crash(node),
    );
  }

  private offer(index: number): void {
    this.open.set(index, null);
    const run = (): void => {
      const ready = this.nodes.filter((node) => node.mayAct && this.started.has(node));
      const node = ready[Math.floor(this.random.next() * ready.length)];
      if (node === undefined) this.time.after(OFFER_AGAIN_MS, () => this.offer(index));
      else void this.offerTo(node, index);
    };
    this.steps.add({ node: OUTSIDE, label: `input ${index} is offered`, run });
  }

  private async offerTo(node: SimulatedNode, index: number): Promise<void> {
    const { id, verb, message } = this.inputs[index] as SimulatedInput;
    this.open.set(index, node);
    try {
      await node.bus[verb](message, { id });
      if (this.open.get(index) === node) this.open.delete(index);
    } catch {
      this.time.after(OFFER_AGAIN_MS, () => this.offer(index));
    }
  }

  private suffer(fault: SimulatedFault): void {
    this.note(`fault: ${JSON.stringify(fault)}`);
    if (fault.kind === 'duplicate') {
      if (this.inputs[fault.input] !== undefined) this.offer(fault.input);
      return;
    }
    const node = this.nodes[fault.node];
    if (node === undefined) return;
    if (fault.kind === 'pause') node.pause(fault.ms);
    else if (fault.kind === 'lost answer') node.loseAnswer();
    else this.crash(node);
  }

  /** Whoever had offered something to it can't know, and offers it again. */
  private crash(node: SimulatedNode): void {
    node.crash();
    for (const [index, asked] of this.open) if (asked === node) this.offer(index);
    this.startNode(node.number);
  }

  private note(line: string): void {
    for (let at = 0; at < line.length; at += 1)
      this.fingerprint = (Math.imul(this.fingerprint, 31) + line.charCodeAt(at)) | 0;
    if (this.traced) this.trace.push(`${this.count} (${this.time.passed} ms) ${line}`);
  }
}
