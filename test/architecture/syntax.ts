import ts from 'typescript';

function parse(text: string): ts.SourceFile {
  return ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest, true);
}

function* nodesBelow(node: ts.Node, into: (node: ts.Node) => boolean = () => true): Generator<ts.Node> {
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => void children.push(child));
  for (const child of children) {
    yield child;
    if (into(child)) yield* nodesBelow(child, into);
  }
}

function moduleSpecifier(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isExternalModuleReference(node)) return node.expression;
  if (ts.isImportTypeNode(node))
    return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined;
  if (ts.isModuleDeclaration(node)) return node.name;
  return ts.isCallExpression(node) && isLoader(node.expression) ? node.arguments[0] : undefined;
}

function isLoader(callee: ts.Node): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  return ts.isIdentifier(callee) && callee.text === 'require';
}

/** Every module a file names: imports, re-exports, types by `import()`, dynamic imports, augmentations. */
export function importsIn(text: string): string[] {
  const found = new Set<string>();
  for (const node of nodesBelow(parse(text))) {
    const specifier = moduleSpecifier(node);
    if (specifier && ts.isStringLiteralLike(specifier)) found.add(specifier.text);
  }
  return [...found];
}

/** Whether a file reads the wall clock through `Date` without an instant given. */
export function readsWallClock(text: string): boolean {
  return [...nodesBelow(parse(text))].some((node) => {
    if (!ts.isNewExpression(node) && !ts.isCallExpression(node)) return false;
    if (!ts.isIdentifier(node.expression) || node.expression.text !== 'Date') return false;
    return ts.isCallExpression(node) || (node.arguments ?? []).length === 0;
  });
}

/** Whether a module awaits while it loads, which makes it impossible to `require`. */
export function awaitsAtTopLevel(text: string): boolean {
  return [...nodesBelow(parse(text), (node) => !ts.isFunctionLike(node))].some(
    (node) => ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier !== undefined),
  );
}

/** Lines that switch a lint rule off and give no reason (`-- why`). */
export function unexplainedExceptions(text: string): string[] {
  return text.split('\n').filter((line) => /(?:ox|es)lint-disable/.test(line) && !/ -- \S/.test(line));
}
