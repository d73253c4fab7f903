import type * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import type { Dataset } from '../../components/data/types.ts';
import { openEngine } from '../../components/engine/open.ts';
import type { HostTensor } from '../../components/engine/types.ts';
import { hostTensor } from '../../components/nn/tree.ts';
import { fsq } from '../../docs/examples/fsq/config.ts';
import { codebookOf, codesOf, quantise } from '../../docs/examples/fsq/levels.ts';
import { load } from '../../docs/examples/fsq/load.ts';
import { run } from '../../docs/examples/fsq/stage.ts';
import { createProject } from '../support/project.ts';
import { leafInput } from '../support/stage-input.ts';
import { attemptStage } from '../support/stage-runner.ts';

/** What the example makes of rows: the nearest values, and their codes. */
async function apply(rows: HostTensor, levels: readonly number[]) {
  const engine = await openEngine({ name: 'reference' });
  const program = await engine.compile({
    name: 'levels',
    state: engine.state({}),
    batch: { rows },
    step: (state: Record<string, never>, batch: { rows: tf.Tensor }) => {
      const quantised = quantise(batch.rows, levels);
      return { state, out: { quantised, codes: codesOf(quantised, levels) } };
    },
  });
  const { quantised, codes } = await program.run({ rows });
  engine.dispose();
  return { quantised: [...quantised.data], codes: [...codes.data] };
}

test("the example's finite scalar quantization is that of the paper's notebook", async (t) => {
  // google-research/fsq, fsq.ipynb: FSQ([3, 5, 4]) of z = [0.25, 0.6, -7].
  const levels = [3, 5, 4];
  const { quantised, codes } = await apply(hostTensor([1, 3], Float32Array.of(0.25, 0.6, -7)), levels);
  t.deepEqual(quantised, [0, 0.5, -1]);
  t.deepEqual(codes, [10]);
  t.deepEqual([...codebookOf(levels).data.subarray(30, 33)], [0, 0.5, -1]);
});

test('each code of the example stands for values that have that code', async (t) => {
  for (const levels of [[2], [3, 5, 4], [8, 5, 5, 5]]) {
    const codebook = codebookOf(levels);
    const half = levels.map((level) => Math.floor(level / 2));
    // What tanh takes there: beyond the outermost levels, where it never gets, anything large.
    const z = Float32Array.from(codebook.data, (value, place) => {
      const channel = place % levels.length;
      const even = levels[channel]! % 2 === 0 ? 0.5 : 0;
      const reach = ((levels[channel]! - 1) * 0.999) / 2;
      const share = Math.max(-0.999, Math.min(0.999, (value * half[channel]! + even) / reach));
      return Math.atanh(share) - Math.tan(even / reach);
    });
    const { codes, quantised } = await apply(hostTensor(codebook.shape, z), levels);
    t.deepEqual(codes, [...codes.keys()]);
    t.deepEqual(quantised, [...codebook.data]);
  }
});

test('the example trains, and other stages get its codes', async (t) => {
  const { dir } = createProject(t, {});
  const levels = [4, 4];
  const tokenizer = fsq({ levels, stride: 8, width: 16, steps: 2, batchSize: 2 });
  t.deepEqual(tokenizer.issues, []);
  const images: Dataset = {
    ...{ name: 'noise', count: 2, classes: ['one'], imageSize: 8 },
    target: async () => 0,
    image: async (index) => {
      const bytes = Uint8Array.from({ length: 192 }, (_, place) => (place * 37 + index * 11) % 256);
      return { format: 'raw', bytes, height: 8, width: 8, channels: 3 };
    },
  };
  const train = { ...leafInput(tokenizer), load: async () => images };
  const { config } = tokenizer;
  const { metrics, shown } = await attemptStage(run, { dir, name: 'fsq', config, inputs: { train } });
  t.true(metrics.loss! > 0 && metrics.loss! < 1);
  // At the first step all codes are 0. With a decoder that starts without biases the norm is 829,840, as PyTorch's in
  // float64: five group norms, one after the other, without variance.
  const norms = shown.flatMap(({ values }) => values?.gradientNorm ?? []);
  t.true(norms.length > 0 && norms.every((norm) => norm < 10), String(norms));
  const loaded = await load(leafInput(tokenizer, `${dir}/out-fsq`));
  t.is(loaded.vocabulary, 16);
  t.deepEqual(loaded.codebook.shape, [16, 2]);
});
