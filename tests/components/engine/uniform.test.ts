import type { Tensor } from '@tensorflow/tfjs-core';
import test from 'ava';
import { openEngine } from '../../../components/engine/open.ts';
import { philox } from '../../../components/engine/philox.ts';
import { uniformRows } from '../../../components/engine/uniform.ts';
import { random } from '../../../components/nn/random.ts';
import { compile, engineNames, messageOf } from './support/small.ts';

// kat_vectors of Random123, philox4x32 with 10 rounds: counter, key, answer.
const ones = 0xffffffff;
for (const { counter, key, answer } of [
  { counter: [0, 0, 0, 0], key: [0, 0], answer: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
  {
    counter: [ones, ones, ones, ones],
    key: [ones, ones],
    answer: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  },
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    answer: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  },
] as const) {
  test(`philox gives the known answer of Random123 for the counter ${counter[0].toString(16)}...`, (t) => {
    const out = new Uint32Array(4);
    philox(counter, key[0], key[1], out);
    t.deepEqual([...out], [...answer]);
  });
}

/** What an engine draws by these words. */
async function draw(name: string, words: readonly number[], rows: number, columns: number) {
  const engine = await openEngine({ name });
  const state = engine.state<object>({});
  const program = await engine.compile<object, { words: Tensor }, { numbers: Tensor }>({
    name: 'noise',
    state,
    batch: { words: { shape: [3], dtype: 'int32' } },
    step: (nothing, batch) => ({ state: nothing, out: { numbers: uniformRows(batch.words, rows, columns) } }),
  });
  const out = await program.run({ words: { dtype: 'int32', shape: [3], data: Int32Array.from(words) } });
  engine.dispose();
  return out.numbers.data as Float32Array;
}

/** A word as a number strictly between 0 and 1. */
const fraction = (word: number) => (Math.floor(word / 512) + 0.5) / 8388608;

for (const name of engineNames) {
  test(`${name}: rows are made of the known answers of Random123`, async (t) => {
    // Key 0 and the counter 0: the first block of the first row.
    const answers = [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8];
    t.deepEqual([...(await draw(name, [0, 0, 0], 1, 4))], answers.map(fraction));
  });

  test(`${name}: the first row has the words of nn/random in blocks of four`, async (t) => {
    const { keys } = random(5, 'noise', 3);
    const columns = 4 * 25;
    const stream = random(5, 'noise', 3).fillUniform(new Float32Array(columns));
    const row = await draw(name, [...keys, 0], 1, columns);
    // There 24 bits, here the upper 23 of them.
    const expected = Float32Array.from(row, (_, column) => {
      const word = stream[4 * (column % 25) + Math.floor(column / 25)]! * 2 ** 24;
      return (Math.floor(word / 2) + 0.5) / 8388608;
    });
    t.deepEqual(row, expected);
  });

  test(`${name}: the row is a word of the counter, unsigned, and rows of parts are those of the whole`, async (t) => {
    const [rows, columns] = [5, 10];
    const whole = await draw(name, [-7, 123456789, -2], rows, columns);
    const block = new Uint32Array(4);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        // Row -2 is 2^32 - 2; two rows later they begin at 0.
        philox([column % 3, (row + 0xfffffffe) % 2 ** 32, 0, 0], -7, 123456789, block);
        t.is(whole[row * columns + column], fraction(block[Math.floor(column / 3)]!));
      }
    }
    const parts = [
      await draw(name, [-7, 123456789, -2], 2, columns),
      await draw(name, [-7, 123456789, 0], 3, columns),
    ];
    t.deepEqual([...parts[0]!, ...parts[1]!], [...whole]);
  });
}

test('the numbers are uniform and strictly between 0 and 1', async (t) => {
  const numbers = await draw('onnx', [1, 2, 0], 1000, 256);
  const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  const variance = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length;
  t.true(Math.abs(mean - 0.5) < 0.002 && Math.abs(variance - 1 / 12) < 0.001);
  t.true(numbers.every((x) => x >= 2 ** -24 && x <= 1 - 2 ** -24));
  // So the least and the greatest are inside, where their logarithms are finite.
  t.is(fraction(0), 2 ** -24);
  t.is(Math.fround(fraction(0xffffffff)), 1 - 2 ** -24);
});

test('words of another form are refused', async (t) => {
  const message = await messageOf(t, () =>
    compile((state, { x }) => ({ state, out: { y: uniformRows(x, 2, 2) } })),
  );
  t.regex(message, /uniformRows wants words int32 \[3\], not float32 \[3, 2\]/);
});
