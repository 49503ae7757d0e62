import { resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/** Types that the compiler makes of generic ones: 49 000 of them for 200 states, checked in 0.7 s on the reference machine. */
const LIMIT = 75_000;

/** So many groups of 40 states in three levels, 4 transitions each, as a literal in a source text. */
function source(target: string, count = 5): string {
  const leaf = (path: string, next: string): string => `${path}: { entry: 'ring', on: {
    NEXT: '${next}', DEEP: { target: '#big.g0.m0.s1', guard: 'isOpen' }, UP: { target: '#big.g1', actions: ['ring'] } },
    after: { 100: { target: '${next}' } } }`;
  const middle = (name: string): string => {
    const leaves = Array.from({ length: 8 }, (_, index) => leaf(`s${index}`, `s${(index + 1) % 8}`));
    return `${name}: { initial: 's0', states: { ${leaves.join(', ')} } }`;
  };
  const groups = Array.from({ length: count }, (_, group) => {
    const middles = Array.from({ length: 4 }, (_, index) => middle(`m${index}`));
    return `g${group}: { initial: 'm0', on: { OUT: '${target}' }, states: { ${middles.join(', ')} } }`;
  });
  return `import { defineMachine } from '@nestjs-orchestrator/statechart';
export const big = defineMachine({ id: 'big', initial: 'g0', states: { ${groups.join(', ')} } },
  { actions: ['ring', 'paint'], guards: ['isOpen'] });`;
}

/** Checks a text as if it stood in this folder. The effort is counted: how long it takes is the machine's other work too. */
function check(text: string): { errors: readonly string[]; instantiations: number } {
  const path = resolve(import.meta.dirname, 'generated-machine.ts');
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile('tsconfig.json', (name) => ts.sys.readFile(name)).config,
    ts.sys,
    process.cwd(),
  );
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (name, version) =>
    name === path ? ts.createSourceFile(name, text, version) : read(name, version);
  const program = ts.createProgram([path], { ...options, types: [] }, host);
  const file = program.getSourceFile(path);
  const diagnostics = program.getSemanticDiagnostics(file);
  const errors = diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  return { errors, instantiations: program.getInstantiationCount() };
}

describe('a literal config of 200 states', () => {
  it('costs the compiler less than 75 000 instantiations, and twice as many states twice as much', () => {
    const [single, twice] = [check(source('g2')), check(source('g2', 10))];
    expect([...single.errors, ...twice.errors]).toEqual([]);
    expect(single.instantiations).toBeLessThan(LIMIT);
    expect(twice.instantiations).toBeLessThan(single.instantiations * 2.2);
  });

  it('is checked at all: one misspelt target is found', () => {
    const { errors } = check(source('g22'));
    expect(errors.join('\n')).toContain('"g22"');
  });
});
