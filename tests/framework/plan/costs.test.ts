import test from 'ava';
import { costsAsJson, costsFromJson, costsOf, workOf } from '../../../framework/plan/costs.ts';
import type { Recorded } from '../../../framework/plan/past-stages.ts';
import { secondsAt, secondsLike } from '../../../framework/plan/rates.ts';
import type { StageNode } from '../../../framework/plan/types.ts';
import type { WiredInputs } from '../../../framework/stage/component.ts';
import type { Costs } from '../../../framework/stage/costs.ts';

function nodeOf(more: object): StageNode {
  return { id: 'x', seed: 0, inputs: {}, ...more } as unknown as StageNode;
}

test('a stage gets what its inputs provide and what it costs to use them', (t) => {
  const tokenizer = {
    provides: { stride: 8 },
    use: (size: number) => ({ parameters: 1, flops: { conv: size ** 2 }, activations: 0 }),
  };
  const costs = ({ train, tokenizer: its }: WiredInputs): Costs => ({
    flops: { dense: 5, conv: its?.use?.(10)?.flops.conv ?? 0 },
    images: Number(train?.facts.images) * Number(its?.facts.stride),
  });
  const node = nodeOf({
    component: { config: {}, costs },
    inputs: {
      train: { type: 'leaf', component: { provides: { images: 3 } }, inputs: {} },
      tokenizer: { type: 'stage', stage: nodeOf({ component: tokenizer }) },
    },
  });
  t.deepEqual(costsOf(node), { flops: { dense: 5, conv: 100 }, images: 24 });
  t.is(workOf(costsOf(node)!), 105 * 24);
});

test('a rung of a halving trains its part of the images', (t) => {
  const component = { config: { steps: 100 }, steps: 'steps', costs: () => ({ images: 6400 }) };
  const first = nodeOf({ component, until: 20 });
  const second = nodeOf({ component, until: 50, after: { previous: first } });
  const last = nodeOf({ component, after: { previous: second } });
  t.deepEqual(
    [first, second, last, nodeOf({ component })].map((node) => costsOf(node)?.images),
    [1280, 1920, 3200, 6400],
  );
});

test('what is no count is unknown, and a component that fails to count says nothing', (t) => {
  const costs = () => ({ parameters: Number.NaN, flops: { dense: -1 }, images: Infinity, memory: 0 });
  t.deepEqual(costsOf(nodeOf({ component: { config: {}, costs } })), { memory: 0 });
  const fails = () => {
    throw new Error('no facts');
  };
  t.is(costsOf(nodeOf({ component: { config: {}, costs: fails } })), undefined);
  t.is(costsOf(nodeOf({ component: { config: {} } })), undefined);
});

test('costs are recorded and read again', (t) => {
  const costs = { parameters: 10, flops: { dense: 3, conv: 0 }, images: 7 };
  t.deepEqual(costsFromJson(costsAsJson(costs)), costs);
  t.deepEqual(costsAsJson({}), {
    parameters: null,
    denseFlops: null,
    convFlops: null,
    images: null,
    memory: null,
  });
  t.is(costsFromJson(undefined), undefined);
});

const recorded = (flops: number, images: number, seconds: number, engine = 'onnx'): Recorded => ({
  kind: 'train',
  config: {},
  seconds,
  engine,
  costs: { flops: { dense: flops }, images },
});

test('a stage takes what an earlier one of its kind took, in proportion to their operations', (t) => {
  // One second of each is the start of a process: 10 seconds for 1e12 operations.
  const before = [recorded(1e9, 1000, 11), recorded(1e9, 1000, 900, 'reference'), recorded(1e3, 10, 50)];
  const like = (costs: Costs) => secondsLike('train', costs, before, { engine: 'onnx' });
  t.is(like({ flops: { dense: 1e9 }, images: 10_000 }), 101);
  t.is(like({ flops: { dense: 2e9 }, images: 1000 }), 21);
  t.is(like({ flops: { conv: 2e9 }, images: 1000 }), 21);
  // Images that cost a hundred times more have another rate.
  t.is(like({ flops: { dense: 1e11 }, images: 1000 }), undefined);
  t.is(like({ flops: { dense: 1e9 } }), undefined);
  const threads = [{ ...before[0]!, threads: 2 }];
  const costs = { flops: { dense: 1e9 }, images: 1000 };
  t.deepEqual(
    [1, 2, 4].map((own) => secondsLike('train', costs, threads, { threads: own })),
    [21, 11, 6],
  );
  t.is(secondsLike('other', { flops: { dense: 1e9 }, images: 1 }, before, { engine: 'onnx' }), undefined);
});

test('else it takes what its operations take the engine, products and convolutions apart', (t) => {
  const speed = {
    dense: [
      { image: 1e7, perSecond: 1e9 },
      { image: 1e9, perSecond: 1e11 },
    ],
    conv: [{ image: 1e9, perSecond: 1e10 }],
  };
  const seconds = (costs: Costs) => Number(secondsAt(costs, speed)?.toPrecision(6));
  t.is(seconds({ flops: { dense: 1e9 }, images: 100 }), 2);
  t.is(seconds({ flops: { dense: 1e12 }, images: 10 }), 101);
  // Half way between two sizes, by their logarithms, the rate is half way as well.
  t.is(seconds({ flops: { dense: 1e8 }, images: 1000 }), 11);
  t.is(seconds({ flops: { dense: 1e6 }, images: 1000 }), 2);
  // 100 images of 5e8 operations each way: 0.5 s of products, 5 s of convolutions.
  t.is(seconds({ flops: { dense: 5e8, conv: 5e8 }, images: 100 }), 6.5);
  t.is(secondsAt({ flops: { conv: 1 }, images: 1 }, { dense: [], conv: [] }), undefined);
});
