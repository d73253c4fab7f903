import path from 'node:path';
import { fileURLToPath } from 'node:url';
import '@tensorflow/tfjs-backend-cpu';
import test from 'ava';
import type { HostTensor } from '../../../components/engine/types.ts';
import { loadTree } from '../../../components/weights/safetensors.ts';
import { dalle, file } from '../../../index.ts';
import { largest } from '../engine/steps/support/compare.ts';
import { importDalle, outputsOf } from '../support/dalle.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const smoke = (name: string) => path.join(root, 'components/tokenizer/dalle-imported/smoke', name);
const filesOf = (stride: number) => ({
  encoder: file(smoke(`encoder-${stride}.pkl`)),
  decoder: file(smoke(`decoder-${stride}.pkl`)),
});
const small = { width: 4, residualBlocks: 1, codebook: { size: 16, dim: 8 } };

test('imported modules give the logits, codes, outputs and images of the official package', async (t) => {
  const component = dalle({ weights: filesOf(8), ...small });
  t.deepEqual(component.issues, []);
  const { tokenizer, result } = await importDalle(component);
  t.regex(result.about!, /^DALL-E's dVAE with weights from elsewhere, sha256 [0-9a-f]{8} and [0-9a-f]{8}$/);
  const expected = loadTree<{ [name in 'images' | 'codes']: HostTensor }>(
    path.join(root, 'tests/fixtures/dalle/expected.safetensors'),
  );
  const outputs = await outputsOf('onnx', component, tokenizer, expected);
  for (const [name, found] of Object.entries(outputs)) {
    const right = (expected as { readonly [name: string]: HostTensor })[name];
    t.deepEqual(found.shape, right.shape, name);
    const distance = largest(Array.from(found.data), Array.from(right.data), name);
    t.true(distance < (name === 'codes' ? 1e-9 : 2e-6), `${name}: ${distance} of the largest`);
  }
});

test('a dict of tensors is as good as a module, and a stride of 4 is a resolution less', async (t) => {
  const component = dalle({ weights: filesOf(4), ...small, stride: 4 });
  const { tokenizer } = await importDalle(component);
  t.deepEqual(tokenizer.codebook.shape, [16, 8]);
  t.is(tokenizer.stride, 4);
});

test('one stage for all seeds, nothing to train, and the use of the encoder', (t) => {
  const component = dalle({ weights: { encoder: file('encoder.pkl'), decoder: file('decoder.pkl') } });
  t.deepEqual(component.config, {
    weights: { encoder: 'file', decoder: 'file' },
    ...{ width: 256, stride: 8, residualBlocks: 2, codebook: { size: 8192, dim: 128 }, seed: 0 },
  });
  t.deepEqual(component.costs!({}), { parameters: 0 });
  t.is(component.use!(112)!.parameters, 53_786_240 + 43_829_766);
});

test('weights and fields of a training exclude each other; one of the two files is not enough', (t) => {
  t.snapshot(dalle({ weights: filesOf(8), steps: 100 } as never).issues);
  t.snapshot(dalle({ weights: { encoder: file('encoder.pkl') } } as never).issues);
  t.snapshot(dalle({ weights: file('encoder.pkl') } as never).issues);
  t.snapshot(dalle({} as never).issues);
  // A variable that is undefined asks for a training.
  t.is(dalle({ weights: undefined, steps: 100 } as never).kind, 'dalle');
  for (const odd of [null, 'encoder.pkl', 8]) t.true(dalle(odd as never).issues.length > 0);
});

test("files in each other's places are refused with what is missing and misshapen", async (t) => {
  const { encoder, decoder } = filesOf(8);
  const swapped = await t.throwsAsync(
    importDalle(dalle({ weights: { encoder: decoder, decoder: encoder }, ...small })),
  );
  t.snapshot(swapped.message.replace(/^.*smoke\//, ''));
  const wide = await t.throwsAsync(importDalle(dalle({ weights: filesOf(8) })));
  t.snapshot(wide.message.replace(/^.*smoke\//, ''));
});
