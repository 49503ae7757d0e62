import { enqueueActions } from '../actions/creators.js';
import { ScxmlError } from '../errors.js';
import { isSystemName } from './data-model.js';
import { type EnqueueArgs, Execution } from './execution.js';
import { assignTo, checkLocation, literalOf, type Run } from './location.js';
import { compileSend } from './send.js';
import type { ScxmlSource } from './source.js';
import { elements, textOf, type XmlElement } from './xml.js';

/** Makes a block of executable content one action: an error ends the block and raises `error.execution` (SCXML 4). */
export function blockOf(source: ScxmlSource, runs: readonly Run[]): unknown {
  return enqueueActions((args: unknown) => {
    const execution = new Execution(source, args as EnqueueArgs);
    try {
      for (const run of runs) run(execution);
    } catch (error) {
      execution.fail(error);
    }
    execution.adopt();
  });
}

export function compileBlock(source: ScxmlSource, parent: XmlElement): Run[] {
  return elements(parent).map((element) => compile(source, element));
}

type Compile = (source: ScxmlSource, element: XmlElement) => Run;

const COMPILERS: Readonly<Record<string, Compile>> = {
  raise: compileRaise,
  send: compileSend,
  cancel: compileCancel,
  log: compileLog,
  assign: compileAssign,
  script: compileScript,
  if: compileIf,
  foreach: compileForeach,
};

function compile(source: ScxmlSource, element: XmlElement): Run {
  const compiler = Object.hasOwn(COMPILERS, element.name) ? COMPILERS[element.name] : undefined;
  if (compiler === undefined) throw new ScxmlError(`<${element.name}> is no executable content`);
  return compiler(source, element);
}

function compileRaise(_source: ScxmlSource, element: XmlElement): Run {
  const type = element.attributes.get('event') ?? '';
  return ({ args }) => args.enqueue.raise({ type, kind: 'internal' });
}

function compileCancel(_source: ScxmlSource, { attributes }: XmlElement): Run {
  const sendid = attributes.get('sendid');
  const expression = attributes.get('sendidexpr') ?? '';
  return (execution) => execution.args.enqueue.cancel(sendid ?? String(execution.evaluate(expression)));
}

function compileLog(_source: ScxmlSource, { attributes }: XmlElement): Run {
  const expression = attributes.get('expr');
  return (execution) => {
    const value = expression === undefined ? undefined : execution.evaluate(expression);
    execution.args.enqueue.log(value, attributes.get('label') ?? '');
  };
}

function compileAssign(_source: ScxmlSource, element: XmlElement): Run {
  const location = element.attributes.get('location') ?? '';
  const expression = element.attributes.get('expr');
  return (execution) => {
    checkLocation(execution, location);
    const value = expression === undefined ? literalOf(execution, element) : execution.evaluate(expression);
    assignTo(execution, location, value);
  };
}

export function compileScript(source: ScxmlSource, element: XmlElement): Run {
  const uri = element.attributes.get('src');
  const statements = uri === undefined ? textOf(element) : source.read(uri);
  return (execution) => execution.execute(statements);
}

function compileIf(source: ScxmlSource, element: XmlElement): Run {
  const branches: { condition: string | undefined; runs: Run[] }[] = [
    { condition: element.attributes.get('cond'), runs: [] },
  ];
  for (const child of elements(element)) {
    if (child.name === 'elseif') branches.push({ condition: child.attributes.get('cond'), runs: [] });
    else if (child.name === 'else') branches.push({ condition: undefined, runs: [] });
    else branches.at(-1)?.runs.push(compile(source, child));
  }
  return (execution) => {
    const taken = branches.find(
      ({ condition }) => condition === undefined || Boolean(execution.evaluate(condition)),
    );
    for (const run of taken?.runs ?? []) run(execution);
  };
}

function compileForeach(source: ScxmlSource, element: XmlElement): Run {
  const { attributes } = element;
  const item = attributes.get('item') ?? '';
  const index = attributes.get('index');
  const runs = compileBlock(source, element);
  return (execution) => {
    const array = execution.evaluate(attributes.get('array') ?? '');
    if (!Array.isArray(array)) throw new Error(`'${attributes.get('array')}' is no array`);
    for (const name of index === undefined ? [item] : [item, index]) checkVariableName(name);
    for (const [at, value] of [...(array as unknown[])].entries()) {
      execution.set(item, value);
      if (index !== undefined) execution.set(index, at);
      for (const run of runs) run(execution);
    }
  };
}

function checkVariableName(name: string): void {
  const legal = /^[A-Za-z_$][\w$]*$/.test(name) && !RESERVED.has(name) && !isSystemName(name);
  if (!legal) throw new Error(`'${name}' is no name for a variable`);
}

const RESERVED = new Set([
  'this',
  'null',
  'true',
  'false',
  'new',
  'for',
  'while',
  'if',
  'else',
  'return',
  'function',
  'var',
  'continue',
  'break',
]);
