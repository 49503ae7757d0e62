import { createContext, runInContext, type Context } from 'node:vm';
import type { ScxmlDataModel, Variables } from '@nestjs-orchestrator/statechart';

/**
 * The ECMAScript data model in a context of its own. The variables are written into the context before each run and read back after
 * it, so that what functions of the document close over is the snapshot's state, not the context's.
 */
export function ecmascript(): ScxmlDataModel {
  const sandbox: Context = createContext({});
  let kept = new Set<string>();

  function run(code: string, variables: Variables, system: Variables): unknown {
    for (const name of kept) if (!Object.hasOwn(variables, name)) Reflect.deleteProperty(sandbox, name);
    Object.assign(sandbox, variables);
    for (const [name, value] of Object.entries(system)) {
      Object.defineProperty(sandbox, name, { value: frozen(value), configurable: true, writable: false });
    }
    try {
      return runInContext(code, sandbox);
    } finally {
      for (const name of Object.keys(system)) Reflect.deleteProperty(sandbox, name);
      for (const name of Object.keys(sandbox)) variables[name] = sandbox[name];
      kept = new Set(Object.keys(sandbox));
    }
  }

  return {
    evaluate: (expression, variables, system) =>
      run(`(${expression.replace(/;\s*$/, '')}\n)`, { ...variables }, system),
    execute(statements, variables, system) {
      run(statements, variables, system);
    },
    fromXml: domOf,
  };
}

function frozen(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? Object.freeze(value) : value;
}

/** As much of a DOM as the corpus asks for. */
function domOf(text: string): unknown {
  const attribute = (tag: string, name: string): string | undefined =>
    new RegExp(`${name}="([^"]*)"`).exec(tag)?.[1];
  return {
    toString: () => text,
    getElementsByTagName: (name: string) =>
      [...text.matchAll(new RegExp(`<${name}\\b[^>]*>`, 'g'))].map(([tag]) => ({
        getAttribute: (of: string) => attribute(tag, of),
      })),
  };
}
