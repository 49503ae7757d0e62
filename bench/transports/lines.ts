import { figure, less } from '../figures.js';
import { compare, type Result } from '../measure.js';
import { RIVAL } from './field.js';

/** More is better. Alone where the rival was not measured. */
export const besideRival = (name: string, ours: number, rival: number | undefined, unit: string): Result =>
  rival === undefined ? figure(name, ours, unit) : compare(name, ours, rival, RIVAL, unit);

/** Less is better. */
export const lessThanRival = (name: string, ours: number, rival: number | undefined, unit: string): Result =>
  rival === undefined ? figure(name, ours, unit) : less(name, ours, rival, RIVAL, unit);
