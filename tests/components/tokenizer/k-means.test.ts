import { readFileSync } from 'node:fs';
import test from 'ava';
import { openEngine } from '../../../components/engine/open.ts';
import { random } from '../../../components/nn/random.ts';
import { hostTensor } from '../../../components/nn/tree.ts';
import { revivalCandidates, unitRowsOf } from '../../../components/tokenizer/codebook.ts';
import { kMeans } from '../../../components/tokenizer/k-means.ts';
import { between } from '../engine/steps/support/seeded.ts';

// Made by tests/fixtures/tokenizer/k_means.py.
const fixture = JSON.parse(
  readFileSync(new URL('../../fixtures/tokenizer/k-means.json', import.meta.url), 'utf8'),
);
const { size, dim } = fixture as { readonly size: number; readonly dim: number };

/** The samples, in an order in which k-means draws the fixture's first centres. */
function samplesInOrder(seed: ReturnType<typeof random>): Float32Array {
  const all: number[][] = [];
  for (let i = 0; i < fixture.samples.length; i += dim) all.push(fixture.samples.slice(i, i + dim));
  const drawn = revivalCandidates(seed, size, all.length);
  const placed = new Array<number[]>(all.length);
  drawn.forEach((place, k) => {
    placed[place] = all[fixture.firsts[k]];
  });
  const others = all.filter((_, i) => !fixture.firsts.includes(i));
  for (let i = 0; i < placed.length; i++) placed[i] ??= others.shift()!;
  return Float32Array.from(placed.flat());
}

for (const [how, normalise] of [
  ['distance', false],
  ['angle', true],
] as const) {
  test(`ten rounds of k-means by ${how} are those of BEiT v2`, async (t) => {
    const engine = await openEngine({ name: 'onnx', threads: 1 });
    const samples = hostTensor([fixture.samples.length / dim, dim], samplesInOrder(random(0, 'k-means')));
    const tokens = normalise ? unitRowsOf(samples) : samples;
    const { vectors, counts } = await kMeans(engine, tokens, random(0, 'k-means'), { size, normalise });
    engine.dispose();
    t.deepEqual([...counts.data], fixture[how].counts);
    const gap = fixture[how].vectors.map((value: number, i: number) => Math.abs(value - vectors.data[i]));
    t.true(Math.max(...gap) < 1e-6);
  });
}

test('k-means of fewer tokens than centres gives each token a centre', async (t) => {
  const engine = await openEngine({ name: 'onnx', threads: 1 });
  const tokens = between('few', [3, 2], -1, 1);
  const { vectors, counts } = await kMeans(engine, tokens, random(1, 'k-means'), {
    size: 5,
    normalise: false,
  });
  engine.dispose();
  t.deepEqual([...counts.data].sort(), [0, 0, 1, 1, 1]);
  const rows = new Set(
    Array.from({ length: 5 }, (_, row) => vectors.data.slice(2 * row, 2 * row + 2).join()),
  );
  t.is(rows.size, 3);
});
