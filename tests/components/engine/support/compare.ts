import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { ExecutionContext } from 'ava';
import { openEngine } from '../../../../components/engine/open.ts';
import type { HostTensor, TensorSpec } from '../../../../components/engine/types.ts';

/** A function of some tensors, to be computed by two engines. */
export interface Case {
  readonly name: string;
  readonly inputs: readonly HostTensor[];
  readonly compute: (...inputs: Tensor[]) => Tensor | readonly Tensor[];
  /** Indices of inputs whose gradient is compared too (of a weighted sum of the first output). */
  readonly gradients?: readonly number[];
}

export interface Tolerance {
  /** Allowed difference: `absolute + relative * |expected|`. */
  readonly absolute: number;
  readonly relative: number;
}

const usual: Tolerance = { absolute: 1e-5, relative: 1e-5 };

type Named<T> = { readonly [name: string]: { readonly [name: string]: T } };

/**
 * Computes all cases with the engine, in one program, and gives their outputs by case. `called` gets the tfjs kernels
 * that each case ran.
 */
export async function computeAll(
  engineName: string,
  cases: readonly Case[],
  threads = 1,
  called = new Map<Case, ReadonlySet<string>>(),
): Promise<Named<HostTensor>> {
  const engine = await openEngine({ name: engineName, threads });
  const batch = named(cases.map((each) => each.inputs));
  const step = (_: object, given: Named<Tensor>) => ({
    state: {},
    out: named(
      cases.map((each, index) => {
        const { result, kernels } = recorded(() => outputs(each, Object.values(given[`case${index}`] ?? {})));
        called.set(each, kernels);
        return result;
      }),
    ),
  });
  const state = engine.state<object>({});
  const program = await engine.compile<object, Named<Tensor>, Named<Tensor>>({
    name: 'cases',
    step,
    state,
    batch: batch as Named<TensorSpec>,
  });
  const result = await program.run(batch);
  state.dispose();
  engine.dispose();
  return result as Named<HostTensor>;
}

function outputs({ compute, gradients = [] }: Case, inputs: Tensor[]): readonly Tensor[] {
  const values = [compute(...inputs)].flat() as Tensor[];
  if (gradients.length === 0) return values;
  const variables = gradients.map((index) => inputs[index]);
  const grads = tf.grads((...given: Tensor[]) => {
    const all = inputs.map((input, index) =>
      gradients.includes(index) ? given[gradients.indexOf(index)] : input,
    );
    const first = [compute(...all)].flat()[0] as Tensor;
    return tf.sum(tf.mul(tf.cast(first, 'float32'), weights(first.shape))) as Scalar;
  })(variables);
  return [...values, ...grads];
}

/** Different for every element, so that no gradient cancels. */
function weights(shape: number[]): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, index) => Math.cos(index * 1.7 + 0.3)),
    shape,
  );
}

function named<T>(lists: readonly (readonly T[])[]): Named<T> {
  return Object.fromEntries(
    lists.map((list, index) => [
      `case${index}`,
      Object.fromEntries(list.map((item, each) => [`x${each}`, item])),
    ]),
  );
}

/** Cases in one program. An engine takes longer to optimise a large one than several small ones. */
const casesAtOnce = 50;

/** Where the compiled program differs from tfjs's CPU backend in type, shape or value: a line for each such case. */
export async function disagreements(
  cases: readonly Case[],
  toleranceOf: (each: Case) => Tolerance | undefined,
  called?: Map<Case, ReadonlySet<string>>,
  engineName = 'onnx',
): Promise<string[]> {
  const problems: string[] = [];
  for (let start = 0; start < cases.length; start += casesAtOnce) {
    const some = cases.slice(start, start + casesAtOnce);
    problems.push(...(await disagreementsOf(some, toleranceOf, called, engineName)));
  }
  return problems;
}

async function disagreementsOf(
  cases: readonly Case[],
  toleranceOf: (each: Case) => Tolerance | undefined,
  called: Map<Case, ReadonlySet<string>> | undefined,
  engineName: string,
): Promise<string[]> {
  const [actual, expected] = [
    await computeAll(engineName, cases, 1, called),
    await computeAll('reference', cases),
  ];
  return cases.flatMap((each, index) => {
    const problem = differences(actual[`case${index}`], expected[`case${index}`], toleranceOf(each) ?? usual);
    return problem ? [`${each.name}(${each.inputs.map(describe).join(', ')}): ${problem}`] : [];
  });
}

/** Asserts that the compiled program computes what tfjs's CPU backend computes: types, shapes and values. */
export async function assertSame(
  t: ExecutionContext,
  cases: readonly Case[],
  tolerance = usual,
): Promise<void> {
  t.deepEqual(await disagreements(cases, () => tolerance), []);
}

function differences(
  actual: Named<HostTensor>[string],
  expected: Named<HostTensor>[string],
  tolerance: Tolerance,
): string | undefined {
  for (const [name, want] of Object.entries(expected)) {
    const have = actual[name];
    if (describe(have) !== describe(want)) return `${name} is ${describe(have)}, not ${describe(want)}`;
    for (let index = 0; index < want.data.length; index++) {
      const [a, e] = [have.data[index], want.data[index]];
      if (!close(a, e, tolerance)) return `${name}[${index}] is ${a}, not ${e} (${describe(want)})`;
    }
  }
  return undefined;
}

/** Runs `work` and notes the names of the tfjs kernels that it ran. */
export function recorded<T>(work: () => T): { readonly result: T; readonly kernels: ReadonlySet<string> } {
  const tfjs = tf.engine();
  const kernels = new Set<string>();
  const { runKernel } = tfjs;
  tfjs.runKernel = (name, ...rest) => {
    kernels.add(name);
    return runKernel.call(tfjs, name, ...rest) as never;
  };
  try {
    return { result: work(), kernels };
  } finally {
    tfjs.runKernel = runKernel;
  }
}

export function close(actual: number, expected: number, { absolute, relative }: Tolerance): boolean {
  if (Number.isNaN(expected)) return Number.isNaN(actual);
  if (!Number.isFinite(expected)) return actual === expected;
  return Math.abs(actual - expected) <= absolute + relative * Math.abs(expected);
}

function describe({ dtype, shape }: HostTensor): string {
  return `${dtype}[${shape}]`;
}
