import { join } from 'node:path';
import ts from 'typescript';
import { root } from '../support/workspace.js';

/** One name behind a door, as its user sees it. */
export interface Exported {
  name: string;
  /** False for what exists for the compiler only. */
  value: boolean;
  documented: boolean;
}

function workspaceOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: object;
  };
  return ts.parseJsonConfigFileContent({ ...config, files: [], include: [] }, ts.sys, root).options;
}

function describeExport(checker: ts.TypeChecker, exported: ts.Symbol): Exported {
  const alias = (exported.flags & ts.SymbolFlags.Alias) !== 0;
  const symbol = alias ? checker.getAliasedSymbol(exported) : exported;
  const typeOnly =
    exported.declarations?.some((node) => ts.isTypeOnlyImportOrExportDeclaration(node)) ?? false;
  return {
    name: exported.name,
    value: !typeOnly && (symbol.flags & ts.SymbolFlags.Value) !== 0,
    documented: ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim() !== '',
  };
}

/** Reads what the given modules export, in the order of their names. */
export function exportsOf(files: readonly string[], host?: ts.CompilerHost): Map<string, Exported[]> {
  const options = workspaceOptions();
  const program = ts.createProgram({ rootNames: [...files], options, ...(host && { host }) });
  const checker = program.getTypeChecker();
  return new Map(
    files.map((file) => {
      const source = program.getSourceFile(file);
      const module = source && checker.getSymbolAtLocation(source);
      const symbols = module ? checker.getExportsOfModule(module) : [];
      const found = symbols.map((symbol) => describeExport(checker, symbol));
      return [file, found.sort((a, b) => (a.name < b.name ? -1 : 1))];
    }),
  );
}

function statementsOf(text: string): readonly ts.Statement[] {
  return ts.createSourceFile('index.ts', text, ts.ScriptTarget.Latest, true).statements;
}

const listsNames = (node: ts.Statement) =>
  ts.isExportDeclaration(node) && node.exportClause !== undefined && ts.isNamedExports(node.exportClause);

/** Statements of a door that are anything else than a list of names, taken from the files that declare them. */
export function doorFaults(text: string): string[] {
  return statementsOf(text)
    .filter((node) => !listsNames(node))
    .map((node) => node.getText());
}

/** Exports of whatever another file holds: they make a name public without anybody deciding it. */
export function blanketExports(text: string): string[] {
  return statementsOf(text)
    .filter((node) => ts.isExportDeclaration(node) && !listsNames(node))
    .map((node) => node.getText());
}
