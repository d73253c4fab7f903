/** Writes the gradient at `x` into `gradient` and returns the value there. */
export type Objective = (x: Float64Array, gradient: Float64Array) => Promise<number>;

export interface MinimiseOptions {
  /** Stop when the Euclidean norm of the gradient is at most this. */
  readonly tolerance: number;
  readonly maxIterations: number;
  /** Pairs of steps and gradient changes that are remembered. */
  readonly memory?: number;
  /** Multiplies a vector by a symmetric positive definite guess of the inverse Hessian, in place. */
  readonly precondition?: (vector: Float64Array) => void;
}

export interface Minimum {
  readonly x: Float64Array;
  readonly value: number;
  readonly gradientNorm: number;
  readonly iterations: number;
  /** Whether the gradient's norm reached the tolerance. */
  readonly converged: boolean;
}

interface Pair {
  /** Change of x, change of the gradient, and their product. */
  readonly s: Float64Array;
  readonly y: Float64Array;
  readonly sy: number;
}

const DECREASE = 1e-4;
/** Near the minimum the value no longer changes but by rounding: that much of an increase is none. */
const ROUNDING = 1e-13;

/**
 * Minimises a smooth convex function by L-BFGS in float64 (Liu and Nocedal 1989; the two-loop recursion of Nocedal and
 * Wright 2006, algorithm 7.4) with a backtracking line search. Pairs without positive curvature are left out.
 */
export async function minimise(
  objective: Objective,
  start: Float64Array,
  { tolerance, maxIterations, memory = 10, precondition }: MinimiseOptions,
): Promise<Minimum> {
  let x = start.slice();
  let gradient = new Float64Array(x.length);
  let value = await objective(x, gradient);
  const pairs: Pair[] = [];
  let iterations = 0;
  while (iterations < maxIterations && norm(gradient) > tolerance) {
    const direction = descentDirection(gradient, pairs, precondition);
    const slope = dot(gradient, direction);
    const found = await search(objective, { x, value, direction, slope });
    // No step along the direction goes down: rounding has the last word.
    if (!found) break;
    const s = subtract(found.x, x);
    const y = subtract(found.gradient, gradient);
    const sy = dot(s, y);
    if (sy > 1e-14 * norm(s) * norm(y)) {
      pairs.push({ s, y, sy });
      if (pairs.length > memory) pairs.shift();
    }
    ({ x, gradient, value } = found);
    iterations++;
  }
  const gradientNorm = norm(gradient);
  return { x, value, gradientNorm, iterations, converged: gradientNorm <= tolerance };
}

/** Minus the gradient times the approximate inverse Hessian. */
function descentDirection(
  gradient: Float64Array,
  pairs: readonly Pair[],
  precondition?: (vector: Float64Array) => void,
): Float64Array {
  const direction = gradient.map((g) => -g);
  const shares: number[] = [];
  for (const { s, y, sy } of pairs.toReversed()) {
    const share = dot(s, direction) / sy;
    shares.unshift(share);
    addScaled(direction, y, -share);
  }
  precondition?.(direction);
  const last = pairs.at(-1);
  if (last) {
    // The guess is scaled so that it agrees with the curvature along the last step.
    const y = last.y.slice();
    precondition?.(y);
    const scale = last.sy / dot(last.y, y);
    for (let i = 0; i < direction.length; i++) direction[i] *= scale;
  }
  for (const [index, { s, y, sy }] of pairs.entries()) {
    addScaled(direction, s, shares[index] - dot(y, direction) / sy);
  }
  return direction;
}

interface Line {
  readonly x: Float64Array;
  readonly value: number;
  readonly direction: Float64Array;
  readonly slope: number;
}

/** Steps back from 1 by the minimum of a parabola until the value falls enough (Armijo's condition). */
async function search(objective: Objective, { x, value, direction, slope }: Line) {
  let step = 1;
  for (let attempt = 0; attempt < 40; attempt++) {
    const next = x.slice();
    addScaled(next, direction, step);
    const gradient = new Float64Array(x.length);
    const reached = await objective(next, gradient);
    if (reached <= value + DECREASE * step * slope + ROUNDING * Math.abs(value)) {
      return { x: next, value: reached, gradient };
    }
    const parabola = (-slope * step * step) / (2 * (reached - value - slope * step));
    step = Number.isFinite(parabola) ? Math.min(0.5 * step, Math.max(0.1 * step, parabola)) : 0.1 * step;
  }
  return undefined;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function norm(a: Float64Array): number {
  return Math.sqrt(dot(a, a));
}

function subtract(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value - b[i]);
}

function addScaled(target: Float64Array, by: Float64Array, scale: number): void {
  for (let i = 0; i < target.length; i++) target[i] += scale * by[i];
}
