import test, { type ExecutionContext } from 'ava';
import { pick, type Wanted } from '../../../components/weights/pick.ts';
import type { TensorType } from '../../../components/weights/raw.ts';
import type { TensorFile } from '../../../components/weights/tensors.ts';
import type { StageError } from '../../../framework/stage/stage-error.ts';

/** A file in memory: numbers 0, 1, 2, ... in each tensor. */
function fileOf(
  tensors: { readonly [name: string]: readonly number[] },
  { type = 'F32', from = 0 }: { readonly type?: TensorType; readonly from?: number } = {},
): TensorFile {
  const facts = Object.entries(tensors).map(([name, shape]) => [name, { type, shape }] as const);
  return {
    file: 'net.pth',
    tensors: new Map(facts),
    async read(name) {
      const shape = tensors[name];
      const count = shape.reduce((product, n) => product * n, 1);
      const values = Float32Array.from({ length: count }, (_, i) => from + i);
      return { type, shape, bytes: new Uint8Array(values.buffer) };
    },
    close: async () => {},
  };
}

const what = 'a net';

async function refusal(
  t: ExecutionContext,
  file: TensorFile,
  wanted: { readonly [name: string]: Wanted },
  options = {},
): Promise<string> {
  return (await t.throwsAsync(pick(file, wanted, { what, ...options }), { name: 'StageError' })).message;
}

test('a dense layer is transposed, a convolution gets the axes of TensorFlow', async (t) => {
  const file = fileOf({ 'fc.weight': [2, 3], 'conv.weight': [2, 3, 1, 2], 'conv.bias': [2] });
  const picked = await pick(
    file,
    {
      'fc/weight': { from: 'fc.weight', shape: [2, 3], transform: 'dense' },
      'conv/weight': { from: 'conv.weight', shape: [2, 3, 1, 2], transform: 'conv' },
      'conv/bias': { from: 'conv.bias', shape: [2] },
    },
    { what },
  );
  t.deepEqual(
    [picked['fc/weight'].shape, [...picked['fc/weight'].data]],
    [
      [3, 2],
      [0, 3, 1, 4, 2, 5],
    ],
  );
  // [out, in, y, x] -> [y, x, in, out]: for x, for in, for out: 6 out + 2 in + x.
  t.deepEqual(picked['conv/weight'].shape, [1, 2, 3, 2]);
  t.deepEqual([...picked['conv/weight'].data], [0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11]);
  t.deepEqual([...picked['conv/bias'].data], [0, 1]);
});

test('all that is missing, misshapen or left over is one error, with near names', async (t) => {
  const file = fileOf({
    'features.0.weigth': [2],
    'features.2.weight': [3, 1],
    'head.bias': [1],
    'fc.bias': [9],
  });
  const wanted = {
    a: { from: 'features.0.weight', shape: [2] },
    b: { from: 'features.2.weight', shape: [3] },
    c: { from: 'tokens', shape: [1] },
  };
  t.is(
    await refusal(t, file, wanted, { ignored: /^head\./ }),
    'net.pth: is not a net: 2 missing: features.0.weight (there is features.0.weigth), tokens; ' +
      '1 of another shape: features.2.weight is [3, 1] instead of [3]; 2 not used: features.0.weigth, fc.bias',
  );
});

test('long lists are cut short', async (t) => {
  const names = Array.from({ length: 300 }, (_, i) => `blocks.${i}.${'x'.repeat(i)}`);
  const file = fileOf(Object.fromEntries(names.map((name) => [name, [1]])));
  const message = await refusal(t, file, { a: { from: 'cls_token', shape: [1] } });
  t.regex(message, /1 missing: cls_token; 300 not used: blocks\.0\., .* and 292 more$/);
  t.true(message.length < 2000);
});

test('names that would steer a terminal are shown instead', async (t) => {
  const message = await refusal(t, fileOf({ 'a\u001b[2J\n\u202e': [1] }), { a: { from: 'a', shape: [1] } });
  t.regex(message, /1 not used: a␛\[2J␊<U\+202E>$/);
});

test('numbers that are no floats, or not finite, are refused by the name of their tensor', async (t) => {
  const wanted = { a: { from: 'a', shape: [1] } };
  t.regex(await refusal(t, fileOf({ a: [1] }, { type: 'I32' }), wanted), /a is I32 instead of floats/);
  const bad = fileOf({ a: [1] }, { from: Number.NaN });
  t.is(await refusal(t, bad, wanted), `net.pth: the tensor "a" has a number that isn't finite`);
});

test('names are found behind the prefix that fits best, and what has another one is left aside', async (t) => {
  const file = fileOf({ 'module.base.a': [1], 'module.base.b': [2], 'module.momentum.a': [1], queue: [3] });
  const wanted = { a: { from: 'a', shape: [1] }, b: { from: 'b', shape: [2] } };
  const picked = await pick(file, wanted, { what, prefixes: ['', 'module.momentum.', 'module.base.'] });
  t.deepEqual(Object.keys(picked), ['a', 'b']);
  const error = await t.throwsAsync(pick(file, wanted, { what }), { name: 'StageError' });
  t.regex(error.message, /2 missing: a, b; 4 not used/);
  t.is((error as StageError).hint, 'its names begin with "module.base.": is it a file of another layout?');
  // Another network's file: told is what it has.
  const foreign = fileOf({ 'features.0.weight': [1] });
  t.regex(
    await refusal(t, foreign, wanted, { prefixes: ['module.base.'] }),
    /2 missing: a, b; 1 not used: features\.0\.weight$/,
  );
});
