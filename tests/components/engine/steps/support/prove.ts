import test, { type ExecutionContext } from 'ava';
import { type Difference, differences, furthest, largest, ofChange, sampled } from './compare.ts';
import { below, type Expected, type Size } from './fixture.ts';
import { type History, namedState, type Tensors, type Training, train } from './train.ts';

/**
 * Allowed distances. Parameters: of what training changed; scalars that a step returns: `scalar + scalar * |expected|`;
 * the rest: of the tensor's largest number.
 */
export interface Tolerance {
  readonly forward: number;
  readonly gradient: number;
  readonly parameters: number;
  readonly moments: number;
  readonly codebook: number;
  readonly scalar: number;
}

/**
 * About five times the distance between PyTorch's own runs in float32 and in float64, which make.py prints: small 1e-6,
 * 2.5e-6, 2e-5, 6e-6, 1e-6, 4e-7; large 1e-6, 2.6e-6, 6e-4, 1.4e-3, 1.5e-5, 4e-7. Larger networks have more gradients
 * near 0, of whose rounding Adam makes whole steps.
 */
export const TOLERANCES: { readonly [size in Size]: Tolerance } = {
  small: { forward: 5e-6, gradient: 1.5e-5, parameters: 1e-4, moments: 4e-5, codebook: 5e-6, scalar: 1e-6 },
  large: { forward: 5e-6, gradient: 1.5e-5, parameters: 3e-3, moments: 7e-3, codebook: 8e-5, scalar: 1e-6 },
  base: { forward: 1e-5, gradient: 5e-5, parameters: 3e-3, moments: 1e-4, codebook: 5e-6, scalar: 2e-6 },
};

/** A training, and the forward pass of its weights at the start. */
export interface Subject<S, B, O, C> {
  readonly size: Size;
  readonly training: Training<S, B, O, C>;
  forward(engine: string): Promise<Tensors>;
}

export type HistoryOf = (engine: string) => Promise<History>;

/**
 * Steps of small sizes on the reference engine, which takes a hundred times as long: the other engines do all of them, and
 * proofs of larger sizes (`npm run test:long`) all of them on both.
 */
const fewSteps = 5;

function stepsOn<S, B, O, C>(engine: string, { size, training }: Subject<S, B, O, C>): number {
  return engine === 'reference' && size === 'small' ? Math.min(training.steps, fewSteps) : training.steps;
}

/** Trains once an engine, however many tests ask. */
export function histories<S, B, O, C>(subject: Subject<S, B, O, C>): HistoryOf {
  const { training } = subject;
  const kept = new Map<string, Promise<History>>();
  const keep = [1, 2, fewSteps, training.steps];
  return (engine) => {
    const steps = stepsOn(engine, subject);
    const history = kept.get(engine) ?? train({ name: engine }, { ...training, steps }, keep);
    kept.set(engine, history);
    return history;
  };
}

/** Measures that PyTorch's side doesn't give of every training; tests of their own compare those of codes by hand. */
const notOfPyTorch = ['gradientNorm', 'perplexity', 'codesUsed'];

/** Registers the tests that compare a whole training step on an engine with PyTorch's. */
export function proveAgainstPyTorch<S, B, O, C>(
  engine: string,
  subject: Subject<S, B, O, C>,
  expected: Expected,
  historyOf: HistoryOf,
): void {
  const { size, training, forward } = subject;
  const all = stepsOn(engine, subject);
  const title = (what: string) => `${training.name} on ${engine}: ${what}`;
  const first = namedState(training.state);
  const allowed = TOLERANCES[size];

  test(title('forward outputs are those of PyTorch'), async (t) => {
    const wanted = below(expected, 'forward');
    const given = await forward(engine);
    t.deepEqual(Object.keys(given).sort(), Object.keys(wanted).sort());
    within(t, differences(given, wanted, largest), allowed.forward);
  });

  test(title(`losses and measures of ${all} steps are those of PyTorch`), async (t) => {
    const { out } = await historyOf(engine);
    t.true('loss' in out);
    const shown = Object.entries(out).filter(
      ([name]) => !notOfPyTorch.includes(name) || `out/${name}` in expected,
    );
    t.deepEqual(
      shown.map(([name]) => `out/${name}`).sort(),
      Object.keys(expected)
        .filter((name) => name.startsWith('out/'))
        .sort(),
    );
    for (const [name, values] of shown) {
      assertScalars(t, name, values, expected[`out/${name}`].data.slice(0, all), allowed);
    }
  });

  test(title('every gradient is that of PyTorch'), async (t) => {
    const { after } = await historyOf(engine);
    // Adam's first moment after one step is a tenth of the gradient. make.py sees to it that the first step's
    // gradients aren't clipped and that the second's are.
    const wanted = below(expected, 'gradient');
    const gradients = sampled(scaled(below(after[1], 'moments/first'), 10), wanted);
    t.deepEqual(Object.keys(gradients).sort(), Object.keys(wanted).sort());
    within(t, differences(gradients, wanted, largest), allowed.gradient);
    const sizes = Object.values(wanted).map(({ data }) => Math.max(...Array.from(data, Math.abs)));
    t.true(Math.min(...sizes) > 1e-5, 'a gradient of the fixture is 0');
  });

  // The fixtures have the state after these.
  for (const steps of [1, 2, training.steps].filter((each) => each <= all)) {
    test(title(`the state after AdamW step ${steps} is that of PyTorch`), async (t) => {
      const wanted = below(expected, `after${steps}`);
      const state = sampled((await historyOf(engine)).after[steps], wanted);
      t.deepEqual(Object.keys(state).sort(), Object.keys(wanted).sort());
      assertStates(t, state, wanted, first, allowed);
    });
  }
}

/** Registers the test that two engines train alike, all entries compared, without PyTorch. */
export function proveEnginesAgree<S, B, O, C>(
  subject: Subject<S, B, O, C>,
  historyOf: HistoryOf,
  engineName = 'onnx',
): void {
  const { size, training } = subject;
  const all = Math.min(stepsOn(engineName, subject), stepsOn('reference', subject));
  test(`${training.name}: ${all} steps on the ${engineName} engine are those on the reference engine`, async (t) => {
    const [compiled, eager] = [await historyOf(engineName), await historyOf('reference')];
    t.deepEqual(Object.keys(compiled.out), Object.keys(eager.out));
    for (const [name, values] of Object.entries(compiled.out)) {
      assertScalars(t, name, values.slice(0, all), eager.out[name], TOLERANCES[size]);
    }
    const first = namedState(training.state);
    for (const steps of [1, 2, all]) {
      t.deepEqual(Object.keys(compiled.after[steps]), Object.keys(eager.after[steps]));
      assertStates(t, compiled.after[steps], eager.after[steps], first, TOLERANCES[size]);
    }
  });
}

function assertStates(
  t: ExecutionContext,
  actual: Tensors,
  expected: Tensors,
  first: Tensors,
  allowed: Tolerance,
): void {
  for (const part of ['parameters', 'moments', 'codebook'] as const) {
    const of = Object.fromEntries(Object.entries(expected).filter(([path]) => path.startsWith(`${part}/`)));
    if (Object.keys(of).length === 0) continue;
    const distance = part === 'parameters' ? ofChange(first) : largest;
    within(t, differences(actual, of, distance), allowed[part]);
  }
}

function assertScalars(
  t: ExecutionContext,
  name: string,
  values: readonly number[],
  wanted: ArrayLike<number>,
  { scalar, gradient }: Tolerance,
): void {
  t.is(values.length, wanted.length);
  const allowed = name === 'gradientNorm' ? gradient : scalar;
  values.forEach((value, step) => {
    const gap = Math.abs(value - wanted[step]);
    t.true(gap <= allowed * (1 + Math.abs(wanted[step])), `${name} of step ${step + 1} is off by ${gap}`);
  });
}

function within(t: ExecutionContext, all: readonly Difference[], tolerance: number): void {
  const { path, distance } = furthest(all);
  t.true(distance <= tolerance, `${path} is off by ${distance}; allowed is ${tolerance}`);
}

function scaled(tensors: Tensors, factor: number): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([path, { dtype, shape, data }]) => [
      path,
      { dtype, shape, data: Float32Array.from(data, (value) => value * factor) },
    ]),
  );
}
