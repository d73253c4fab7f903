import { readFileSync } from 'node:fs';
import { type Difference, differences, largest } from '../../engine/steps/support/compare.ts';
import { below, type Expected } from '../../engine/steps/support/fixture.ts';
import { type VqvaeSpec, vqvaeTrainingOf } from '../../engine/steps/support/tokenizers.ts';
import { type Tensors, train } from '../../engine/steps/support/train.ts';

const FOLDER = new URL('../../../fixtures/tokenizer/', import.meta.url);

/** One entry of specs.json, which PyTorch's side reads too. */
export function readVqganSpec(name: string): VqvaeSpec {
  return JSON.parse(readFileSync(new URL('specs.json', FOLDER), 'utf8'))[name];
}

export const vqganFixture = new URL('small.safetensors', FOLDER);

const [SAMPLES, STRIDE] = [64, 7919];

/** The entries of a tensor that make.py keeps of gradients. */
function sampled(tensors: Tensors): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, data }]) => {
      const entries = Array.from({ length: Math.min(data.length, SAMPLES) }, (_, i) =>
        data.length <= SAMPLES ? i : (i * STRIDE) % data.length,
      );
      return [
        name,
        { dtype, shape: [entries.length], data: Float32Array.from(entries, (entry) => data[entry]) },
      ];
    }),
  );
}

/**
 * How far one step of a tokenizer in VQGAN's form is from PyTorch's: the worst tensor of each kind, relative to its largest
 * number. Biases of keys have no gradient but rounding.
 */
export async function compareVqgan(
  spec: VqvaeSpec,
  expected: Expected,
  threads?: number,
): Promise<{ readonly [kind: string]: Difference[] }> {
  const { training, forward } = await vqvaeTrainingOf(spec);
  const options = { name: 'onnx', ...(threads === undefined ? {} : { threads }) };
  const { out, after } = await train(options, { ...training, steps: 1 }, [1]);
  const part = (name: string) => below(after[1], name);
  // Adam's first moment after one step is a tenth of the gradient: clipNorm is 0.
  const gradients = Object.fromEntries(
    Object.entries(part('moments/first')).map(([name, tensor]) => [
      name,
      { ...tensor, data: Float32Array.from(tensor.data, (value) => value * 10) },
    ]),
  );
  const withoutKeys = (tensors: Tensors) =>
    Object.fromEntries(Object.entries(tensors).filter(([name]) => !name.endsWith('key/bias')));
  const scalars = Object.fromEntries(
    Object.entries(out).map(([name, [value]]) => [
      name,
      { dtype: 'float32' as const, shape: [], data: Float32Array.of(value) },
    ]),
  );
  return {
    forward: differences(await forward('onnx'), below(expected, 'forward'), largest),
    gradient: differences(sampled(gradients), withoutKeys(below(expected, 'gradient')), largest),
    codebook: differences(part('codebook'), below(expected, 'codebook'), largest),
    out: differences(scalars, below(expected, 'out'), largest),
    // Nothing on one side alone.
    missing: Object.keys(gradients)
      .filter((name) => expected[`gradient/${name}`] === undefined)
      .map((path) => ({ path, distance: Number.POSITIVE_INFINITY })),
  };
}
