// Compiles one TypeScript file for jest, without a look at its types.
import ts from 'typescript';

const compilerOptions = {
  module: ts.ModuleKind.ESNext,
  target: ts.ScriptTarget.ES2022,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  inlineSourceMap: true,
};

// oxlint-disable-next-line import/no-default-export -- jest asks for it
export default {
  process: (text, fileName) => ({ code: ts.transpileModule(text, { fileName, compilerOptions }).outputText }),
};
