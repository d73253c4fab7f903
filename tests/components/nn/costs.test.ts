import test from 'ava';
import {
  attentionCounts,
  blockCounts,
  convCounts,
  denseCounts,
  normCounts,
  plainParameters,
  repeated,
  sumOf,
  trainingBytes,
  trainingFlops,
} from '../../../components/nn/costs.ts';

test('a dense layer of 5 rows, 3 inputs, 2 outputs has 6 weights, 2 biases and 30 multiply-adds', (t) => {
  t.deepEqual(denseCounts({ rows: 5, inputs: 3, outputs: 2 }), { parameters: 8, flops: 60, kept: 15 });
  t.is(denseCounts({ rows: 5, inputs: 3, outputs: 2, bias: false }).parameters, 6);
});

test('the first convolutions of VGG16: 1,792 and 36,928 parameters, 87 M and 1.85 G multiply-adds at 224', (t) => {
  const at = { height: 224, width: 224, size: 3 };
  const [first, second] = [
    convCounts({ ...at, inputs: 3, outputs: 64 }),
    convCounts({ ...at, inputs: 64, outputs: 64 }),
  ];
  t.deepEqual([first.parameters, second.parameters], [1792, 36_928]);
  t.deepEqual([first.flops / 2, second.flops / 2], [86_704_128, 1_849_688_064]);
  // 2 x 2 places of the output are 4 x 4 of the input where the stride is 2.
  t.is(convCounts({ height: 2, width: 2, size: 4, stride: 2, inputs: 3, outputs: 8 }).kept, 48);
});

test('attention of 2 tokens, 4 wide: products counted one by one', (t) => {
  const { parameters, flops } = attentionCounts({ tokens: 2, dim: 4, heads: 2 });
  // Weights 4 x 12 and 4 x 4; biases of queries, values and the projection.
  t.is(parameters, 48 + 16 + 4 + 4 + 4);
  // Tokens x weights, twice; scores: 2 heads x 2 x 2 places x 2 channels; mixing as many.
  t.is(flops, 2 * (2 * 48 + 2 * 16 + 16 + 16));
  t.is(attentionCounts({ tokens: 2, dim: 4, heads: 2, keyBias: true }).parameters, parameters + 4);
});

test("a block of timm's vit_base_patch16_224 has 7,087,872 parameters, one of BEiT-B 1,536 - 768 more", (t) => {
  const sizes = { tokens: 197, dim: 768, heads: 12, hidden: 3072 };
  t.is(blockCounts({ ...sizes, keyBias: true }).parameters, 7_087_872);
  t.is(blockCounts({ ...sizes, layerScale: true }).parameters, 7_087_872 + 768);
});

test("ViT-B/16 at 224: 17.6 G multiply-adds and timm's 86,567,656 parameters", (t) => {
  const whole = sumOf([
    denseCounts({ rows: 196, inputs: 768, outputs: 768 }),
    plainParameters(768 + 197 * 768),
    repeated(12, blockCounts({ tokens: 197, dim: 768, heads: 12, hidden: 3072, keyBias: true })),
    normCounts({ rows: 197, width: 768 }),
    denseCounts({ rows: 1, inputs: 768, outputs: 1000 }),
  ]);
  t.is(whole.parameters, 86_567_656);
  // 17.6 G in papers (DeiT, table 1).
  t.is(Math.round(whole.flops / 2 / 1e7) / 100, 17.56);
});

test('a backward pass takes twice the products of the forward pass, but for the input of the first layer', (t) => {
  t.is(trainingFlops({ flops: 10 }), 30);
  t.is(trainingFlops({ flops: 10 }, { flops: 4 }), 26);
});

test('memory of a training: two copies of weights and moments, gradients, and what a micro-batch keeps', (t) => {
  t.is(trainingBytes({ parameters: 10, kept: 3 }, 2), 4 * (70 + 6));
});
