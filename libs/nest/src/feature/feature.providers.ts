import type { Provider } from '@nestjs/common';
import type { Machine } from '@nestjs-orchestrator/core';
import type { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import type { AnySaga, SagaBehaviour } from '@nestjs-orchestrator/core/saga';
import { OrchestratorConfigurationError } from '../boot-errors.js';
import { MachineRuntime } from '../machine/machine-runtime.js';
import { getChannelGroupToken, getMachineToken } from '../machine/machine.tokens.js';
import { FEATURE, ORCHESTRATOR_HOST } from '../module/orchestrator.tokens.js';
import { getSagaRepositoryToken } from './saga-repository.tokens.js';

/** What `forFeature` is given: definitions of sagas, what `buildSaga` made, and machines. */
export type FeatureEntry = AnySaga | SagaBehaviour | Machine;

/** How `forFeature` registers. */
export interface FeatureOptions {
  /** Channel group of the application that the machines live in, made for this name. Default: the application's own group. */
  readonly channelGroup?: string;
}

/** What one `forFeature` was given. */
export interface Feature {
  readonly definitions: readonly AnySaga[];
  readonly behaviours: readonly SagaBehaviour[];
  readonly machines: readonly Machine[];
  readonly channelGroup: string | undefined;
}

/** Providers of one `forFeature` module. */
export function featureProviders(
  entries: readonly FeatureEntry[],
  { channelGroup }: FeatureOptions,
): Provider[] {
  entries.forEach(assertEntry);
  const feature: Feature = {
    definitions: definitionsOf(entries),
    behaviours: entries.filter(isBehaviour),
    machines: entries.filter(isMachine),
    channelGroup,
  };
  const repositories = feature.definitions.map((definition) => ({
    provide: getSagaRepositoryToken(definition),
    useFactory: (host: OrchestratorHost) => host.repository(definition),
    inject: [ORCHESTRATOR_HOST],
  }));
  const machines = feature.machines.map((machine) => ({
    provide: getMachineToken(machine),
    useFactory: (runtime: MachineRuntime) => runtime.handle(machine, channelGroup),
    inject: [MachineRuntime],
  }));
  return [
    { provide: FEATURE, useValue: feature },
    ...repositories,
    ...machines,
    ...groupProviders(channelGroup),
  ];
}

/** Tokens of what one `forFeature` module exports. */
export function featureTokens(entries: readonly FeatureEntry[], { channelGroup }: FeatureOptions): symbol[] {
  return [
    ...definitionsOf(entries).map(getSagaRepositoryToken),
    ...entries.filter(isMachine).map(getMachineToken),
    ...(channelGroup === undefined ? [] : [getChannelGroupToken(channelGroup)]),
  ];
}

function groupProviders(name: string | undefined): Provider[] {
  if (name === undefined) return [];
  return [
    {
      provide: getChannelGroupToken(name),
      useFactory: (runtime: MachineRuntime) => runtime.group(name),
      inject: [MachineRuntime],
    },
  ];
}

function definitionsOf(entries: readonly FeatureEntry[]): readonly AnySaga[] {
  return entries
    .filter((entry): entry is AnySaga | SagaBehaviour => !isMachine(entry))
    .map((entry) => (isBehaviour(entry) ? entry.definition : entry));
}

function isBehaviour(entry: FeatureEntry): entry is SagaBehaviour {
  return 'definition' in entry;
}

function isMachine(entry: FeatureEntry): entry is Machine {
  return 'config' in entry && 'implementations' in entry;
}

function assertEntry(entry: unknown, index: number): void {
  const known = ['definition', 'dataSchema', 'implementations'];
  if (typeof entry === 'object' && entry !== null && known.some((mark) => mark in entry)) return;
  const found = typeof entry === 'function' ? `class or function ${entry.name}` : String(entry);
  throw new OrchestratorConfigurationError(
    `OrchestratorModule.forFeature() was given ${found} at position ${index}. It takes what defineSaga(), buildSaga() or defineMachine() returned; ` +
      `saga and machine classes belong in the module's providers. An undefined here is mostly a circular import.`,
  );
}
