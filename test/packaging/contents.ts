import { doorsOf, type Manifest } from '../support/workspace.js';

const allowed = [
  /^dist\/.+\.(?:js|js\.map|d\.ts|d\.ts\.map|sql|lua|json|html|css)$/,
  /^(?:package\.json|README\.md|LICENSE)$/,
];
const required = ['package.json', 'README.md', 'LICENSE'];
const unwanted = /\.spec\.|\.tsbuildinfo$/;

/** What is wrong with the files of a packed lib; empty when all is well. */
export function contentFaults(manifest: Manifest, files: readonly string[]): string[] {
  const held = new Set(files);
  const targets = doorsOf(manifest).flatMap(([, door]) => [door.types, door.default]);
  return [
    ...files
      .filter((file) => unwanted.test(file) || !allowed.some((form) => form.test(file)))
      .map((file) => `holds ${file}`),
    ...required.filter((file) => !held.has(file)).map((file) => `lacks ${file}`),
    ...targets
      .filter((file) => !held.has(file.replace('./', '')))
      .map((file) => `lacks ${file}, which a door opens`),
  ];
}
