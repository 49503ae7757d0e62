import type { EventObject } from '../types.js';
import { assignTo, checkLocation, literalOf, type Run } from './location.js';
import type { Variables } from './data-model.js';
import { CommunicationFailure, type Execution, SendFailure } from './execution.js';
import type { ScxmlSource } from './source.js';
import { elements, type XmlElement } from './xml.js';

const PROCESSORS = new Set([
  '',
  'scxml',
  'http://www.w3.org/TR/scxml/#SCXMLEventProcessor',
  'http://www.w3.org/TR/scxml',
]);
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, '': 1, m: 60_000, h: 3_600_000 };

/** Compiles `<send>` (SCXML 6.2): to oneself, to the parent, to an invoked session, or to where the runner knows. */
export function compileSend(_source: ScxmlSource, element: XmlElement): Run {
  return (execution) => {
    const id = idOf(execution, element.attributes);
    try {
      send(execution, element, id);
    } catch (failure) {
      throw id === undefined ? failure : new SendFailure(id, failure);
    }
  };
}

function idOf(execution: Execution, attributes: ReadonlyMap<string, string>): string | undefined {
  const location = attributes.get('idlocation');
  if (location === undefined) return attributes.get('id');
  checkLocation(execution, location);
  const id = execution.nextId('send');
  assignTo(execution, location, id);
  return id;
}

function send(execution: Execution, element: XmlElement, id: string | undefined): void {
  const { enqueue } = execution.args;
  const type = attributeOf(execution, element, 'event') ?? '';
  const processor = attributeOf(execution, element, 'type') ?? '';
  const target = attributeOf(execution, element, 'target') ?? '';
  const data = payloadOf(execution, element);
  const delay = delayOf(attributeOf(execution, element, 'delay'));
  if (!PROCESSORS.has(processor.replace(/\/$/, '')))
    throw new Error(`the processor '${processor}' is not supported`);
  if (target === '#_internal') {
    if (delay > 0) throw new Error('an internal event has no delay');
    return enqueue.raise({ type, data, kind: 'internal', sendid: id });
  }
  const event = { type, data, ...originOf(execution), ...(id === undefined ? {} : { sendid: id }) };
  dispatch(execution, target, event, { delay, ...(id === undefined ? {} : { id }) });
}

function dispatch(
  execution: Execution,
  target: string,
  event: EventObject,
  options: { delay: number; id?: string },
): void {
  const { enqueue } = execution.args;
  if (target === '' || target === ownAddress(execution)) enqueue.raise(event, options);
  else if (target.startsWith('#_') && execution.reaches(target)) enqueue.sendTo(target, event, options);
  else if (/^(#_|\w+:)/.test(target)) throw new CommunicationFailure(`'${target}' cannot be reached`);
  else throw new Error(`'${target}' is no target`);
}

function originOf(execution: Execution): Variables {
  return {
    kind: 'external',
    origin: ownAddress(execution),
    origintype: 'http://www.w3.org/TR/scxml/#SCXMLEventProcessor',
  };
}

function ownAddress(execution: Execution): string {
  return `#_scxml_${String(execution.variables['_sessionid'])}`;
}

/** An attribute, or the value of its `…expr` twin. */
export function attributeOf(
  execution: Execution,
  { attributes }: XmlElement,
  name: string,
): string | undefined {
  const expression = attributes.get(`${name}expr`);
  return expression === undefined ? attributes.get(name) : String(execution.evaluate(expression));
}

/** `1s`, `200ms`, `.5s` in milliseconds. */
function delayOf(text: string | undefined): number {
  if (text === undefined || text === '') return 0;
  const [, digits = '', unit = ''] = /^\s*([\d.]+)\s*(ms|s|m|h)?\s*$/.exec(text) ?? [];
  const delay = Number(digits) * (UNITS[unit] ?? NaN);
  if (digits === '' || !Number.isFinite(delay)) throw new Error(`'${text}' is no delay`);
  return delay;
}

/** Data of a message: `<content>`, or `namelist` with `<param>`s. */
export function payloadOf(execution: Execution, element: XmlElement): unknown {
  const [content] = elements(element, 'content');
  if (content !== undefined) return contentOf(execution, content);
  const names = (element.attributes.get('namelist') ?? '').split(/\s+/).filter((name) => name !== '');
  const params = elements(element, 'param');
  if (names.length + params.length === 0) return undefined;
  return Object.fromEntries([
    ...names.map((name): [string, unknown] => [name, variableOf(execution, name)]),
    ...params.map((param): [string, unknown] => [
      param.attributes.get('name') ?? '',
      paramOf(execution, param),
    ]),
  ]);
}

export function contentOf(execution: Execution, content: XmlElement): unknown {
  const expression = content.attributes.get('expr');
  return expression === undefined ? literalOf(execution, content) : execution.evaluate(expression);
}

export function paramOf(execution: Execution, { attributes }: XmlElement): unknown {
  const location = attributes.get('location');
  return location === undefined
    ? execution.evaluate(attributes.get('expr') ?? 'undefined')
    : variableOf(execution, location);
}

function variableOf(execution: Execution, location: string): unknown {
  if (!/^[A-Za-z_$]/.test(location)) throw new Error(`'${location}' is no location`);
  return execution.evaluate(location);
}
