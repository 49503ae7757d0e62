import { ScxmlError } from '../errors.js';
import { blockOf, compileBlock, compileScript } from './content.js';
import { type Run } from './location.js';
import { compileData, compileDoneData } from './data.js';
import type { Variables } from './data-model.js';
import { systemVariables } from './execution.js';
import { compileInvoke, invokeConfig } from './invoke.js';
import { type ScxmlOptions, type ScxmlSource, sourceOf } from './source.js';
import { elements, parseXml, type XmlElement } from './xml.js';

const STATES = new Set(['state', 'parallel', 'final', 'history']);

/** A config under construction. */
type Config = Record<string, unknown>;

/** What all states of one document share. */
interface Document {
  readonly source: ScxmlSource;
  /** Names for the states that have none, by element. */
  readonly ids: Map<XmlElement, string>;
  readonly late: boolean;
  count: number;
}

/**
 * Reads an SCXML document into a machine config for `defineMachine`, under SCXML's rules (`options.semantics: 'scxml'`).
 * Expressions run in the data model that the caller passes; the library evaluates no text of its own accord.
 * The machine's input is `{ sessionId?, data? }`: data overrides the document's top-level data of the same name.
 *
 * @throws ScxmlError where the text is no SCXML document
 */
export function fromScxml(text: string, options: ScxmlOptions = {}): Record<string, unknown> {
  const root = parseXml(text);
  if (root.name !== 'scxml') throw new ScxmlError(`its root is <${root.name}> instead of <scxml>`);
  const document: Document = {
    source: sourceOf(options),
    ids: new Map(),
    late: root.attributes.get('binding') === 'late',
    count: 0,
  };
  const states = statesOf(document, root);
  const name = root.attributes.get('name') ?? '(scxml)';
  return {
    id: [...document.ids.values()].includes(name) ? `${name}(scxml)` : name,
    context: ({ input }: { input?: { sessionId?: string } }) =>
      platformVariables(name, input?.sessionId ?? name),
    entry: rootEntry(document, root),
    ...initialOf(document, root),
    states,
    options: { semantics: 'scxml' },
  };
}

function platformVariables(name: string, sessionId: string): Variables {
  const processor = Object.freeze({ location: `#_scxml_${sessionId}` });
  const processors = { scxml: processor, 'http://www.w3.org/TR/scxml/#SCXMLEventProcessor': processor };
  return { _sessionid: sessionId, _name: name, _ioprocessors: Object.freeze(processors) };
}

/** Data first, then scripts: what a document does before it enters its first state. */
function rootEntry({ source, late }: Document, root: XmlElement): unknown[] {
  const data = late ? dataOf(root) : allData(root);
  const blocks = data.map((element) =>
    blockOf(source, [compileData(source, element, dataOf(root).includes(element))]),
  );
  return [
    ...blocks,
    ...elements(root, 'script').map((script) => blockOf(source, [compileScript(source, script)])),
  ];
}

function dataOf(element: XmlElement): XmlElement[] {
  return elements(element, 'datamodel').flatMap((model) => elements(model, 'data'));
}

function allData(element: XmlElement): XmlElement[] {
  return [
    ...dataOf(element),
    ...elements(element)
      .filter((child) => STATES.has(child.name))
      .flatMap(allData),
  ];
}

function statesOf(document: Document, parent: XmlElement): Record<string, Config> {
  const children = elements(parent).filter((child) => STATES.has(child.name));
  return Object.fromEntries(children.map((child) => [idOf(document, child), stateOf(document, child)]));
}

function idOf(document: Document, element: XmlElement): string {
  let id = document.ids.get(element);
  if (id === undefined)
    document.ids.set(element, (id = element.attributes.get('id') ?? `${element.name}#${++document.count}`));
  return id;
}

function stateOf(document: Document, element: XmlElement): Config {
  const id = idOf(document, element);
  if (element.name === 'history') return historyOf(document, element, id);
  const states = statesOf(document, element);
  const compound = element.name === 'state' && Object.keys(states).length > 0;
  return {
    id,
    ...(element.name === 'state' ? {} : { type: element.name }),
    ...(compound ? initialOf(document, element) : {}),
    ...(Object.keys(states).length > 0 ? { states } : {}),
    entry: entryOf(document, element, id),
    exit: elements(element, 'onexit').map((block) =>
      blockOf(document.source, compileBlock(document.source, block)),
    ),
    invoke: elements(element, 'invoke').map((invoke, index) =>
      invokeConfig(document.source, invoke, `${id}.${index}`),
    ),
    ...transitionsOf(document, element),
    ...(element.name === 'final'
      ? { output: ({ context }: { context: Variables }) => context[`_done ${id}`] }
      : {}),
  };
}

function entryOf({ source, late }: Document, element: XmlElement, id: string): unknown[] {
  const bind: Run[] = late ? dataOf(element).map((data) => compileData(source, data, false)) : [];
  const blocks = elements(element, 'onentry').map((block) => compileBlock(source, block));
  const done = elements(element, 'donedata').map((data) => [compileDoneData(source, data, id)]);
  const invokes = elements(element, 'invoke').map((invoke, index) => [
    compileInvoke(source, invoke, `${id}.${index}`),
  ]);
  return [bind, ...blocks, ...done, ...invokes]
    .filter((runs) => runs.length > 0)
    .map((runs) => blockOf(source, runs));
}

function historyOf(document: Document, element: XmlElement, id: string): Config {
  const [transition] = elements(element, 'transition');
  return {
    id,
    type: 'history',
    history: element.attributes.get('type') === 'deep' ? 'deep' : 'shallow',
    ...(transition === undefined
      ? {}
      : { target: targetsOf(transition.attributes.get('target')), actions: actionsOf(document, transition) }),
  };
}

function initialOf(document: Document, element: XmlElement): Config {
  const [transition] = elements(element, 'initial').flatMap((initial) => elements(initial, 'transition'));
  if (transition !== undefined) {
    return {
      initial: {
        target: targetsOf(transition.attributes.get('target')),
        actions: actionsOf(document, transition),
      },
    };
  }
  const targets = targetsOf(element.attributes.get('initial'));
  const first = elements(element).find((child) => STATES.has(child.name) && child.name !== 'history');
  if (targets === undefined && first === undefined) return {};
  return { initial: { target: targets ?? [`#${idOf(document, first as XmlElement)}`] } };
}

/** `on` and `always`; `order` keeps the place in the document across event names. */
function transitionsOf(document: Document, element: XmlElement): Config {
  const on: Record<string, Config[]> = {};
  const always: Config[] = [];
  for (const transition of elements(element, 'transition')) {
    const config = transitionOf(document, transition);
    const events = transition.attributes.get('event')?.trim();
    if (events === undefined || events === '') always.push(config);
    else for (const event of events.split(/\s+/)) (on[descriptorOf(event)] ??= []).push(config);
  }
  return { on, always };
}

function transitionOf(document: Document, element: XmlElement): Config {
  const { attributes } = element;
  const condition = attributes.get('cond');
  const target = targetsOf(attributes.get('target'));
  return {
    order: ++document.count,
    reenter: attributes.get('type') !== 'internal',
    actions: actionsOf(document, element),
    ...(target === undefined ? {} : { target }),
    ...(condition === undefined ? {} : { guard: conditionOf(document.source, condition) }),
  };
}

function conditionOf({ dataModel }: ScxmlSource, condition: string): unknown {
  return ({
    context,
    event,
    isIn,
  }: {
    context: Variables;
    event: { type: string };
    isIn: (id: string) => boolean;
  }) => dataModel.evaluate(condition, context, systemVariables(event, isIn));
}

function actionsOf({ source }: Document, element: XmlElement): unknown[] {
  const runs = compileBlock(source, element);
  return runs.length === 0 ? [] : [blockOf(source, runs)];
}

function targetsOf(targets: string | undefined): string[] | undefined {
  const ids = (targets ?? '').split(/\s+/).filter((id) => id !== '');
  return ids.length === 0 ? undefined : ids.map((id) => `#${id}`);
}

/** SCXML's names are prefixes already: `error` answers `error.send.failed`, as `error.*` does. */
function descriptorOf(event: string): string {
  return event === '*' ? '*' : `${event.replace(/\.?\*?$/, '')}.*`;
}
