import { showValue } from '../stage/show.ts';
import { isComponent } from '../stage/source.ts';
import { listedEnvironment } from './environment.ts';
import type { Problem } from './problem.ts';
import { inside, type Path } from './tree.ts';
import type { Experiment } from './types.ts';

/** What a second evaluation gave, beside the variables that it missed. */
export interface SecondEvaluation<T> {
  readonly result: T;
  /** Variables that are set and were read without `env`, in order. */
  readonly hidden: readonly string[];
  /** Variables that were read and are not set: the experiment may be another one where they are. */
  readonly unset: readonly string[];
  /** True if it asked for more than we can name: the names of all variables, another machine, Node's own modules. */
  readonly unbounded: boolean;
}

const shift = 400 * 24 * 3600 * 1000; // milliseconds; another year, another day of the week

/**
 * Calls a function in another world: the clock goes more than a year ahead, Math.random draws other numbers, and
 * variables of the environment that the file didn't list are not set. What comes out the same depends on none of them.
 */
export function inAnotherWorld<T>(evaluate: () => Promise<T>): Promise<SecondEvaluation<T>> {
  // One at a time: each puts back the world that it found.
  const turn = last.then(() => evaluateElsewhere(evaluate));
  last = turn.catch(() => {});
  return turn;
}

/** Node itself reads them while it imports a module. */
const nodesOwn: ReadonlySet<string> = new Set(['NODE_V8_COVERAGE', 'WATCH_REPORT_DEPENDENCIES']);

let last: Promise<unknown> = Promise.resolve();

async function evaluateElsewhere<T>(evaluate: () => Promise<T>): Promise<SecondEvaluation<T>> {
  const world = { Date: globalThis.Date, random: Math.random, env: process.env };
  const listed = listedEnvironment();
  const hidden = new Set<string>();
  const unset = new Set<string>();
  let unbounded = false;
  /** Whether a variable is there in this world; notes that it was asked for. */
  const look = (target: NodeJS.ProcessEnv, name: string | symbol): boolean => {
    if (typeof name !== 'string' || nodesOwn.has(name)) return Object.hasOwn(target, name);
    if (Object.hasOwn(target, name)) {
      if (Object.hasOwn(listed, name)) return true;
      hidden.add(name);
    } else unset.add(name);
    return false;
  };
  const restore = reachesOut.map(([holder, name]) =>
    watchCalls(holder, name, () => {
      unbounded = true;
    }),
  );
  globalThis.Date = shiftedDate(world.Date);
  Math.random = () => (world.random() + 0.5) % 1;
  process.env = new Proxy(world.env, {
    get: (target, name) =>
      look(target, name) || !Object.hasOwn(target, name) ? Reflect.get(target, name) : undefined,
    has: (target, name) => look(target, name) || (!Object.hasOwn(target, name) && Reflect.has(target, name)),
    getOwnPropertyDescriptor: (target, name) =>
      look(target, name) ? Reflect.getOwnPropertyDescriptor(target, name) : undefined,
    ownKeys(target) {
      unbounded = true;
      return Reflect.ownKeys(target).filter(
        (name) => typeof name === 'string' && Object.hasOwn(listed, name),
      );
    },
  });
  try {
    return { result: await evaluate(), hidden: [...hidden], unset: [...unset], unbounded };
  } finally {
    globalThis.Date = world.Date;
    Math.random = world.random;
    process.env = world.env;
    for (const undo of restore) undo();
  }
}

/** Functions by which code gets at what no list of imports shows. */
const reachesOut = [
  [globalThis, 'fetch'],
  [process, 'getBuiltinModule'],
  [process, 'binding'],
] as const;

/** Calls `onCall` before each call of a method. Returns what undoes that. */
function watchCalls(holder: object, name: string, onCall: () => void): () => void {
  const original = Reflect.getOwnPropertyDescriptor(holder, name);
  const method: unknown = Reflect.get(holder, name);
  if (typeof method !== 'function' || (original && !original.configurable)) return () => {};
  const watched = function (this: unknown, ...given: unknown[]): unknown {
    onCall();
    return Reflect.apply(method, this, given);
  };
  Object.defineProperty(holder, name, { value: watched, configurable: true, writable: true });
  return () => {
    if (original) Object.defineProperty(holder, name, original);
    else Reflect.deleteProperty(holder, name);
  };
}

/** A problem for every field that is not the same in both evaluations of an experiment file. */
export function compareEvaluations(
  first: Experiment,
  second: Experiment,
  hidden: readonly string[],
): Problem[] {
  const problems: Problem[] = [];
  compare(inside(first), inside(second), []);
  return problems;

  function compare(a: unknown, b: unknown, path: Path): void {
    if (isComponent(a) && isComponent(b) && a.kind === b.kind) {
      // Its input says where in the file it is written; files are given by functions of the input.
      const found = problems.length;
      compare(inside(a) ?? a.config, inside(b) ?? b.config, path);
      // Defaults of its schema are in no input.
      if (problems.length === found) compare(a.config, b.config, path);
      return;
    }
    if (isRecord(a) && isRecord(b) && Array.isArray(a) === Array.isArray(b)) {
      for (const key of new Set([...Object.keys(a), ...Object.keys(b)]))
        compare(a[key], b[key], [...path, Array.isArray(a) ? Number(key) : key]);
      return;
    }
    if (Object.is(a, b) || showValue(a, Infinity) === showValue(b, Infinity)) return;
    problems.push({
      path,
      message: `is not the same at every evaluation: ${showValue(a, 40)}, then ${showValue(b, 40)}`,
      hint: hintFor(hidden),
    });
  }
}

function hintFor(hidden: readonly string[]): string {
  const variables =
    hidden.length > 0
      ? `; it reads ${hidden.map((name) => `process.env.${name}`).join(', ')}: read by env('${hidden[0]}'), a variable is an input`
      : '';
  return `an experiment must not depend on the clock, on Math.random or on unlisted variables${variables}`;
}

function shiftedDate(RealDate: DateConstructor): DateConstructor {
  return new Proxy(RealDate, {
    construct: (target, given, newTarget) =>
      Reflect.construct(target, given.length === 0 ? [target.now() + shift] : given, newTarget) as object,
    apply: (target) => new target(target.now() + shift).toString(),
    get: (target, name) =>
      name === 'now' ? () => target.now() + shift : (Reflect.get(target, name) as unknown),
  });
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !isComponent(value);
}
