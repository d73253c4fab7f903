import { createHash } from 'node:crypto';
import type { ConfigIssue } from '../../stage/component.ts';
import type { Json } from '../../stage/json.ts';
import { type Sweep, withProblems } from './sweep.ts';

/** Where values of a field are drawn from. */
export interface Distribution {
  /** The value at a share of the distribution, from 0 up to but not including 1. */
  at(share: number): Json;
  /** What is wrong with its bounds. */
  readonly problem?: string;
}

/** Values drawn from `space`; a list of values means `choice`. */
export type Space = { readonly [path: string]: Distribution | readonly Json[] };

/**
 * `n` points of a space. Each value depends on the seed, the number of the point and its path only: more points or
 * fields leave those before as they are.
 */
export function random(n: number, space: Space, seed = 0): Sweep {
  const fields = Object.entries(space).map(
    ([path, from]) => [path, isDistribution(from) ? from : choice(from)] as const,
  );
  const problems: ConfigIssue[] = fields.flatMap(([path, { problem }]) =>
    problem === undefined ? [] : [{ path: ['sweep', path], message: problem }],
  );
  if (!Number.isInteger(n) || n < 1)
    problems.push({ path: ['sweep'], message: `random draws a whole number of points, got ${n}` });
  if (problems.length > 0) return withProblems([], problems);
  return Array.from({ length: n }, (_, index) =>
    Object.fromEntries(fields.map(([path, from]) => [path, from.at(share(seed, index, path))])),
  );
}

/** Real numbers from `low` to `high`, all equally likely; rounded to 4 digits, since they are part of names. */
export function uniform(low: number, high: number): Distribution {
  return {
    at: (unit) => round(low + unit * (high - low), low, high),
    ...badBounds('uniform', low, high),
  };
}

/** The same for the logarithms: as many between 0.01 and 0.1 as between 0.1 and 1. Bounds are above 0. */
export function logUniform(low: number, high: number): Distribution {
  return {
    at: (unit) => round(low * (high / low) ** unit, low, high),
    ...badBounds('logUniform', low, high, Number.MIN_VALUE),
  };
}

/** Whole numbers from `low` to `high`, both included. */
export function integer(low: number, high: number): Distribution {
  const whole = Number.isInteger(low) && Number.isInteger(high);
  return {
    at: (unit) => low + Math.floor(unit * (high - low + 1)),
    ...(whole ? badBounds('integer', low, high) : { problem: 'integer takes whole numbers' }),
  };
}

/** Powers of two from `low` to `high`, both included: `powerOfTwo(64, 1024)` draws from 64, 128, 256, 512, 1024. */
export function powerOfTwo(low: number, high: number): Distribution {
  const powers = Array.from({ length: 53 }, (_, power) => 2 ** power).filter(
    (value) => value >= low && value <= high,
  );
  const none = powers.length === 0 ? { problem: `there is no power of two from ${low} to ${high}` } : {};
  return { ...choice(powers), ...none };
}

/** One of the values, all equally likely. */
export function choice(values: readonly Json[]): Distribution {
  return {
    at: (unit) => values[Math.floor(unit * values.length)]!,
    ...(values.length === 0 ? { problem: 'choice has no values' } : {}),
  };
}

function isDistribution(from: Distribution | readonly Json[]): from is Distribution {
  return !Array.isArray(from);
}

/** From 0 up to but not including 1, with 48 bits. */
function share(seed: number, index: number, path: string): number {
  const digest = createHash('sha256')
    .update(JSON.stringify([seed, index, path]))
    .digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}

function round(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, Number(value.toPrecision(4))));
}

function badBounds(name: string, low: number, high: number, least = Number.NEGATIVE_INFINITY) {
  if (low >= least && high >= low) return {};
  const above = least > 0 ? ' above 0' : '';
  return { problem: `${name} takes a lower and an upper bound${above}, got ${low} and ${high}` };
}
