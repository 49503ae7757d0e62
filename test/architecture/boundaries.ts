import { posix } from 'node:path';
import { doorsOf, type Manifest, type Package, type SourceFile } from '../support/workspace.js';
import { awaitsAtTopLevel, importsIn, readsWallClock } from './syntax.js';

const scope = '@nestjs-orchestrator/';

/** The arrows of docs/architecture.md. Whatever is not named here is an adapter and sees core only. */
const arrows: Record<string, readonly string[]> = {
  statechart: [],
  core: ['statechart'],
  admin: ['core', 'nest'],
  cli: ['core', 'nest', 'typeorm', 'redis', 'transports'],
  testing: ['core', 'nest'],
};

interface Room {
  readonly folder: string;
  readonly sees: readonly string[];
  /** Whether it imports nothing of the rest of its lib but what it `takes`. */
  readonly alone: boolean;
  readonly takes?: RegExp;
}

/** Parts of a lib that see less than the lib as a whole: folder (or `''` for the rest) → libs in reach. */
const rooms: Record<string, Room[]> = {
  // Usable alone: of core it takes the mark of its errors, time and randomness, and the gathering of requests.
  core: [
    {
      folder: 'resilience/',
      sees: [],
      alone: true,
      takes: /^(errors\/orchestrator-error|handling\/coalescer|ports\/(clock|ids|system-clock))\.js$/,
    },
  ],
  testing: [
    { folder: 'nest/', sees: ['core', 'nest'], alone: false },
    { folder: '', sees: ['core'], alone: false },
  ],
};

/** Libs that run anywhere, and what each may take from others: plain JavaScript, taken after an ADR. */
const pure = new Map<string, ReadonlySet<string>>([
  ['statechart', new Set()],
  ['core', new Set(['@noble/hashes', 'croner'])],
]);

const isSpec = (path: string) => path.endsWith('.spec.ts');
const arrowsOf = (lib: string) => arrows[lib] ?? ['core'];
const roomOf = (lib: string, path: string) => rooms[lib]?.find((room) => path.startsWith(room.folder));

function declaredBy(manifest: Manifest): Set<string> {
  const { dependencies, peerDependencies, optionalDependencies } = manifest;
  return new Set(Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies }));
}

function packageName(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

/** What the checks know of the workspace around one file. */
export interface House {
  packages: readonly Package[];
  /** Names that specs may import besides what their package declares. */
  tools: ReadonlySet<string>;
}

function relativeFault(lib: string, file: string, specifier: string): string | undefined {
  const target = posix.join(posix.dirname(file), specifier);
  if (target.startsWith('..')) return `leaves its own src folder`;
  const room = roomOf(lib, file);
  const inside = room?.alone !== true || target.startsWith(room.folder) || room.takes?.test(target);
  if (inside !== true) return `leaves ${room.folder}, which stands alone`;
  return undefined;
}

function seenBy(pkg: Package, file: string, target: Package): boolean {
  if (pkg.path.startsWith('apps/')) return true;
  return (roomOf(pkg.name, file)?.sees ?? arrowsOf(pkg.name)).includes(target.name);
}

function workspaceFault(house: House, pkg: Package, file: string, specifier: string): string | undefined {
  const name = packageName(specifier);
  const target = house.packages.find((other) => other.manifest.name === name);
  if (!target) return 'is no package of this workspace';
  if (target === pkg) return 'is its own package: import the file';
  if (!seenBy(pkg, file, target)) return `is out of reach for ${pkg.name}`;
  if (!doorsOf(target.manifest).some(([door]) => door === specifier)) return `is no door of ${name}`;
  if (pkg.path.startsWith('apps/') && specifier.endsWith('/internal')) return 'is for our own libs only';
  return undeclaredFault(pkg, name);
}

function undeclaredFault(pkg: Package, name: string): string | undefined {
  return declaredBy(pkg.manifest).has(name) ? undefined : `is not declared in ${pkg.path}/package.json`;
}

function importFault(house: House, pkg: Package, file: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return relativeFault(pkg.name, file, specifier);
  if (specifier.startsWith(scope)) return workspaceFault(house, pkg, file, specifier);
  const builtin = specifier.startsWith('node:');
  const name = packageName(specifier);
  if (isSpec(file) && (builtin || house.tools.has(name))) return undefined;
  if (builtin) return pure.has(pkg.name) ? 'is not for a pure lib' : undefined;
  return undeclaredFault(pkg, name);
}

/** What is wrong with one source file of a package; empty when all is well. */
export function fileFaults(house: House, pkg: Package, { path, text }: SourceFile): string[] {
  const where = `${pkg.path}/src/${path}`;
  const faults = importsIn(text).flatMap((specifier) => {
    const fault = importFault(house, pkg, path, specifier);
    return fault ? [`${where}: '${specifier}' ${fault}`] : [];
  });
  if (isSpec(path) || pkg.path.startsWith('apps/')) return faults;
  if (pure.has(pkg.name) && readsWallClock(text)) faults.push(`${where}: reads the wall clock`);
  if (awaitsAtTopLevel(text))
    faults.push(`${where}: awaits at top level, so that CommonJS cannot require it`);
  return faults;
}

function siblingFaults(lib: string, version: string, [other, range]: [string, string]): string[] {
  const faults = arrowsOf(lib).includes(other.slice(scope.length)) ? [] : [`must not depend on ${other}`];
  return range === version ? faults : [...faults, `wants ${other} ${range}, not exactly ${version}`];
}

function foreignFaults(lib: string, [other]: [string, string]): string[] {
  const taken = pure.get(lib);
  return taken === undefined || taken.has(other) ? [] : [`is pure and must not depend on ${other}`];
}

/** What is wrong with the manifest of a lib: arrows, exact versions, core as the one shared peer. */
export function manifestFaults({ manifest, name, path }: Package, version: string): string[] {
  const { dependencies = {}, peerDependencies, optionalDependencies } = manifest;
  const faults = Object.entries({ ...dependencies, ...peerDependencies, ...optionalDependencies }).flatMap(
    (entry) =>
      entry[0].startsWith(scope) ? siblingFaults(name, version, entry) : foreignFaults(name, entry),
  );
  if (manifest.version !== version) faults.push(`is version ${manifest.version}, not ${version}`);
  if (`${scope}core` in dependencies) faults.push(`has core as a dependency, not as a peer`);
  return faults.map((fault) => `${path}/package.json ${fault}`);
}
