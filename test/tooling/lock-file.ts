/** One entry of package-lock.json, as far as the check reads it. */
export interface Locked {
  resolved?: string;
  link?: boolean;
  optionalDependencies?: Record<string, string>;
}

/**
 * What would keep `npm ci` from working on another machine. A platform package that no entry names makes it
 * refuse the whole lock file, on every platform; npm leaves such packages out when the registry it locks
 * against lacks them.
 */
export function lockFaults(packages: Readonly<Record<string, Locked>>): string[] {
  const paths = Object.keys(packages);
  const locked = new Set(
    paths.map((path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)),
  );
  return Object.entries(packages).flatMap(([path, { resolved, link, optionalDependencies }]) => {
    const missing = Object.keys(optionalDependencies ?? {}).filter((name) => !locked.has(name));
    const faults = missing.map((name) => `${path} wants ${name}, which has no entry`);
    return resolved === undefined || link ? faults : [...faults, `${path} names the address ${resolved}`];
  });
}
