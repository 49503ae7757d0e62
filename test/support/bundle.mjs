// One bundle of plain JavaScript for each TypeScript file that tests start as a process or a worker: made by the first that needs it,
// made again when a file in it has changed. Compiling took longer than most of these processes live.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

// Below node_modules, so that packages of the registry, which stay outside, are found.
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/nestjs-orchestrator', import.meta.url));

/** The address of a module that does what this TypeScript file does. */
export async function bundle(file) {
  const name = `${basename(file, '.ts')}-${createHash('sha256').update(file).digest('hex').slice(0, 12)}`;
  const [module, sources] = [join(CACHE, `${name}.mjs`), join(CACHE, `${name}.json`)];
  if (!isFresh(sources)) await make(file, name);
  return pathToFileURL(module).href;
}

function isFresh(sources) {
  if (!existsSync(sources)) return false;
  const known = JSON.parse(readFileSync(sources, 'utf8'));
  return JSON.stringify(stateOf(Object.keys(known))) === JSON.stringify(known);
}

function stateOf(files) {
  return Object.fromEntries(
    files.map((file) => {
      const found = statSync(file, { throwIfNoEntry: false });
      return [file, found === undefined ? null : `${found.mtimeMs} ${found.size}`];
    }),
  );
}

async function make(file, name) {
  // Loaded only where something is made: it takes longer than all the rest.
  const { build } = await import('vite');
  mkdirSync(CACHE, { recursive: true });
  const files = new Set();
  const conditions = ['@nestjs-orchestrator/source'];
  const { output } = await build({
    configFile: false,
    logLevel: 'error',
    plugins: [placesOfSources(files)],
    resolve: { conditions },
    ssr: { noExternal: [/^@nestjs-orchestrator\//], resolve: { conditions } },
    build: { ssr: file, write: false, minify: false, target: 'node20' },
  });
  const [chunk] = output;
  if (output.length !== 1) throw new Error(`${file} makes ${output.length} chunks, where one is needed.`);
  write(`${name}.mjs`, chunk.code);
  // Last, since it says that the other one is there.
  write(`${name}.json`, JSON.stringify(stateOf([...files])));
}

/** Several processes may make the same one at once: each finds a whole file, whoever wrote it. */
function write(name, text) {
  const own = join(CACHE, `${name}.${process.pid}`);
  try {
    writeFileSync(own, text);
    renameSync(own, join(CACHE, name));
  } finally {
    rmSync(own, { force: true });
  }
}

/** Modules know where their source is, not where the bundle is; and all that went in is known afterwards. */
function placesOfSources(files) {
  return {
    name: 'places-of-sources',
    enforce: 'post',
    transform(code, id) {
      const [path] = id.split('?');
      if (!path.startsWith('/') && !/^[A-Z]:/i.test(path)) return null;
      files.add(path);
      if (!code.includes('import.meta.')) return null;
      const places = { url: pathToFileURL(path).href, dirname: dirname(path), filename: path };
      return {
        code: code.replace(/\bimport\.meta\.(url|dirname|filename)\b/g, (_, place) =>
          JSON.stringify(places[place]),
        ),
        map: null,
      };
    },
  };
}
