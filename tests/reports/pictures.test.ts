import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { PNG } from 'pngjs';
import type { StageInput } from '../../framework/stage/contract.ts';
import { readExamples } from '../../reports/examples.ts';
import { comparePictures } from '../../reports/pictures.ts';

function strip(height: number): Buffer {
  return PNG.sync.write(new PNG({ width: 4, height }));
}

function stageWith(files: { readonly [name: string]: Buffer | string }): StageInput {
  const dir = mkdtempSync(path.join(tmpdir(), 'peco-pictures-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(dir, name), content);
  return { dir } as StageInput;
}

test('each task whose stages wrote strips gets a picture: what is given on top, then a row for each variant', async (t) => {
  const both = (height: number) => ({ 'truth.png': strip(height), 'predictions.png': strip(height) });
  const inputs = {
    a: stageWith(both(5)),
    b: stageWith(both(5)),
    // Of the second seed of a variant nothing is shown.
    c: stageWith(both(4)),
    d: stageWith({ 'originals.png': strip(5), 'reconstructions.png': strip(5) }),
    e: stageWith({ 'predictions.png': strip(4) }),
  };
  const cell = (variant: string, task: string, seed: number, input: string) => ({
    variant,
    task,
    seed,
    input,
  });
  const cells = [
    cell('beit', 'boxes', 0, 'a'),
    cell('peco', 'boxes', 0, 'b'),
    cell('peco', 'boxes', 1, 'c'),
    cell('beit', 'tokenizer', 0, 'd'),
    cell('beit', 'probe', 0, 'e'),
  ];
  const pictures = await comparePictures({ cells }, inputs, ['beit', 'peco']);
  t.deepEqual([...pictures.keys()], ['predictions-boxes.png', 'reconstructions.png']);
  const heights = [...pictures.values()].map((png) => PNG.sync.read(png).height);
  // Small strips are three times as high, and rows are 4 pixels apart.
  t.deepEqual(heights, [15 * 3 + 8, 15 * 2 + 4]);
  const part = await comparePictures({ cells }, inputs, ['peco']);
  t.deepEqual([...part.keys()], ['predictions-boxes.png'], 'of the rows that are shown');
});

test('examples are of the stages that write them, and other files of their names are none', async (t) => {
  const use = { images: 1, counts: [1, 0], shown: [0], patch: 8, gap: 1 };
  const files = { 'codebook.json': JSON.stringify(use), 'codes.png': strip(10), 'masks.png': strip(4) };
  const { dir } = stageWith(files);
  t.deepEqual(await readExamples('evaluation', dir), { codebook: { ...use, picture: strip(10) } });
  t.deepEqual(await readExamples('pretraining', dir), { masks: strip(4) });
  t.deepEqual(await readExamples('downstream', dir), {});
  t.deepEqual(await readExamples('evaluation', stageWith({}).dir), {}, 'results of an earlier version');
  for (const text of ['{', '[]', 'null', '{"counts":{}}', JSON.stringify({ ...use, counts: ['<b>'] })]) {
    const own = stageWith({ ...files, 'codebook.json': text });
    t.deepEqual(await readExamples('evaluation', own.dir), {}, text);
  }
});
