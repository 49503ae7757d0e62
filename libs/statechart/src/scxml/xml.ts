import { ScxmlError } from '../errors.js';

/** An element of an XML document. Prefixes are dropped; SCXML has no names that collide without them. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly (XmlElement | string)[];
  /** What stands between its tags, as written. */
  readonly source: string;
}

const TAG =
  /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[([\s\S]*?)\]\]>|<!DOCTYPE[^>[]*(?:\[[^\]]*\])?[^>]*>|<(\/?)([^\s/>]+)((?:[^"'>]|"[^"]*"|'[^']*')*?)(\/?)>/g;
const ATTRIBUTE = /([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

interface Open {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: (XmlElement | string)[];
  readonly from: number;
}

/** Parses the well-formed XML that SCXML documents are; no external entities. */
export function parseXml(text: string): XmlElement {
  const stack: Open[] = [{ name: '', attributes: new Map(), children: [], from: 0 }];
  let from = 0;
  for (const match of text.matchAll(TAG)) {
    addText(stack, text.slice(from, match.index));
    from = match.index + match[0].length;
    takeTag(stack, match, text, from);
  }
  const top = stack.pop();
  const root = top?.children.find((child) => typeof child !== 'string');
  if (stack.length > 0 || root === undefined) throw new ScxmlError(`'${top?.name ?? ''}' is not closed`);
  return root;
}

function takeTag(stack: Open[], match: RegExpExecArray, text: string, end: number): void {
  const [whole, data, closing, name, attributes = '', empty] = match;
  const open = stack.at(-1) as Open;
  if (data !== undefined) open.children.push(data);
  if (name === undefined) return;
  if (closing === '/') return closeTag(stack, localName(name), text.slice(open.from, end - whole.length));
  const element = { name: localName(name), attributes: parseAttributes(attributes), children: [], from: end };
  if (empty === '/') open.children.push({ ...element, source: '' });
  else stack.push(element);
}

function closeTag(stack: Open[], name: string, source: string): void {
  const open = stack.pop();
  const parent = stack.at(-1);
  if (open?.name !== name || parent === undefined)
    throw new ScxmlError(`</${name}> closes <${open?.name ?? ''}>`);
  parent.children.push({ name, attributes: open.attributes, children: open.children, source });
}

function addText(stack: Open[], text: string): void {
  if (text !== '') stack.at(-1)?.children.push(unescapeXml(text));
}

function parseAttributes(text: string): ReadonlyMap<string, string> {
  const pairs = [...text.matchAll(ATTRIBUTE)].map(([, name = '', double, single]): [string, string] => [
    localName(name),
    unescapeXml(double ?? single ?? ''),
  ]);
  return new Map(pairs);
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function unescapeXml(text: string): string {
  return text.replace(/&(#x?)?(\w+);/g, (whole, number: string | undefined, name: string) => {
    if (number === undefined) return ENTITIES[name] ?? whole;
    return String.fromCodePoint(Number.parseInt(name, number === '#x' ? 16 : 10));
  });
}

export function escapeXml(text: string): string {
  return text.replace(/[<>&"]/g, (char) => ({ '<': '&lt;', '>': '&gt;', '&': '&amp;' })[char] ?? '&quot;');
}

/** Child elements, of a name if one is given. */
export function elements(of: XmlElement, name?: string): XmlElement[] {
  return of.children
    .filter((child) => typeof child !== 'string')
    .filter((child) => name === undefined || child.name === name);
}

/** All text inside, without the tags. */
export function textOf(of: XmlElement): string {
  return of.children.map((child) => (typeof child === 'string' ? child : textOf(child))).join('');
}
