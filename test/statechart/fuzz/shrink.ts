import type { GenCase } from './config.js';

/** Makes a failing case smaller for as long as it keeps failing: drops events, then keys and list elements of the config. */
export function shrink(found: GenCase, fails: (candidate: GenCase) => boolean): GenCase {
  let best = found;
  for (let progress = true; progress;) {
    progress = false;
    for (const candidate of candidatesOf(best)) {
      if (!stillFails(candidate, fails)) continue;
      best = candidate;
      progress = true;
      break;
    }
  }
  return best;
}

function stillFails(candidate: GenCase, fails: (candidate: GenCase) => boolean): boolean {
  try {
    return fails(candidate);
  } catch {
    return false;
  }
}

function* candidatesOf({ config, events }: GenCase): Generator<GenCase> {
  for (let size = events.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < events.length; at += size) {
      yield { config, events: [...events.slice(0, at), ...events.slice(at + size)] };
    }
  }
  for (const smaller of without(config)) yield { config: smaller as GenCase['config'], events };
}

/** Every value with one key or element removed, the outer ones first. */
function* without(value: unknown): Generator {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const index of value.keys()) yield value.filter((_, other) => other !== index);
    for (const [index, element] of value.entries()) {
      for (const smaller of without(element))
        yield value.map((one, other) => (other === index ? smaller : one) as unknown);
    }
    return;
  }
  for (const key of Object.keys(value)) {
    yield Object.fromEntries(Object.entries(value).filter(([other]) => other !== key));
  }
  for (const [key, inner] of Object.entries(value)) {
    for (const smaller of without(inner)) yield { ...value, [key]: smaller };
  }
}
