import { isSystemName } from './data-model.js';
import type { Execution } from './execution.js';
import { elements, textOf, type XmlElement } from './xml.js';

/** One element of executable content, ready to run. */
export type Run = (execution: Execution) => void;

/** A location must begin with a declared variable, and none of the platform's. */
export function checkLocation(execution: Execution, location: string): void {
  const name = /^\s*([A-Za-z_$][\w$]*)/.exec(location)?.[1];
  if (name === undefined || isSystemName(name) || !execution.has(name))
    throw new Error(`'${location}' is no location`);
}

export function assignTo(execution: Execution, location: string, value: unknown): void {
  if (/^[A-Za-z_$][\w$]*$/.test(location)) execution.set(location, value);
  else execution.execute(`${location} = _value`, { _value: value });
}

/** Text that is an expression is its value; other text is itself, its white space normalised. */
export function literalOf(execution: Execution, element: XmlElement): unknown {
  if (elements(element).length > 0) return execution.fromXml(element.source.trim());
  const text = textOf(element).trim();
  if (text === '') return undefined;
  if (text.startsWith('<')) return execution.fromXml(text);
  try {
    return execution.evaluate(text);
  } catch {
    return text.replace(/\s+/g, ' ');
  }
}
