import { readFileSync } from 'node:fs';
import test from 'ava';
import { sampled } from '../components/engine/steps/support/compare.ts';
import { below, type Expected, readExpected } from '../components/engine/steps/support/fixture.ts';
import { subjects } from '../components/engine/steps/support/prove-all.ts';
import { type History, namedState, type Tensors, train } from '../components/engine/steps/support/train.ts';
import { withTensorflow } from './support/library.ts';

/** How far a training is from PyTorch's in float64: see tests/fixtures/steps/autocast.py. */
interface Drift {
  readonly loss: number;
  readonly forward: number;
  readonly gradient: number;
  readonly parameters: number;
}

const autocast = JSON.parse(
  readFileSync(new URL('../fixtures/steps/autocast.json', import.meta.url), 'utf8'),
) as { readonly [training: string]: Drift };

/** Length of all differences by the length of all that is expected. */
function relative(given: Tensors, expected: Tensors, start?: Tensors): number {
  let [gaps, sizes] = [0, 0];
  for (const [path, { data }] of Object.entries(expected)) {
    const values = given[path]!.data;
    const before = start?.[path]?.data;
    data.forEach((value, index) => {
      gaps += (values[index]! - value) ** 2;
      sizes += (value - (before?.[index] ?? 0)) ** 2;
    });
  }
  return Math.sqrt(gaps / sizes);
}

/** The first moment after one step is a tenth of the gradient. */
const gradients = (after: Tensors): Tensors =>
  Object.fromEntries(
    Object.entries(below(after, 'moments/first')).map(([path, tensor]) => [
      path,
      { ...tensor, data: Float32Array.from(tensor.data, (value) => 10 * value) },
    ]),
  );

function driftOf({ out, after }: History, forward: Tensors, expected: Expected, first: Tensors): Drift {
  const { codes: _, ...outputs } = below(expected, 'forward');
  const losses = expected['out/loss']!.data;
  const steps = losses.length;
  const wanted = below(expected, `after${steps}/parameters`);
  const parameters = (state: Tensors) => sampled(below(state, 'parameters'), wanted);
  const gradient = below(expected, 'gradient');
  return {
    loss: Math.max(...Array.from(losses, (loss, step) => Math.abs(out.loss![step]! / loss - 1))),
    forward: relative(forward, outputs),
    gradient: relative(sampled(gradients(after[1]!), gradient), gradient),
    parameters: relative(parameters(after[steps]!), wanted, parameters(first)),
  };
}

await withTensorflow(() => {
  for (const [name, { training, forward }] of Object.entries(subjects)) {
    test(`${name} on tensorflow:bf16 is no further from float64 than twice PyTorch's autocast to bfloat16`, async (t) => {
      const engine = 'tensorflow:bf16';
      const { steps, state } = training;
      const history = await train({ name: engine }, training as never, [1, steps]);
      const expected = readExpected(name);
      const drift = driftOf(history, await forward(engine), expected, namedState(state));
      t.log(drift);
      for (const [what, allowed] of Object.entries(autocast[name]!)) {
        const found = drift[what as keyof Drift];
        t.true(found <= 2 * allowed, `${what}: ${found}, PyTorch ${allowed}`);
        // float32 is 1e-5 off at most.
        t.true(what === 'loss' || found > 1e-4, `${what}: ${found}, as if it were float32`);
      }
    });
  }
});
