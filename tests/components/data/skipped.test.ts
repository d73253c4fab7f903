import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { findBad } from '../../../components/data/decode/bad.ts';
import { imageFolder } from '../../../components/data/readers/image-folder/config.ts';
import { load } from '../../../components/data/readers/image-folder/load.ts';
import { reportSkipped } from '../../../components/data/skipped.ts';
import { labelsOf } from '../../../components/data/subset.ts';
import type { Dataset } from '../../../components/data/types.ts';
import type { StageContext, StageInput } from '../../../framework/stage/contract.ts';
import { StageError } from '../../../framework/stage/stage-error.ts';
import { createProject } from '../../support/project.ts';
import { leafInput } from '../../support/stage-input.ts';

// A grey PNG of 20 x 12 pixels, as Pillow writes it.
const { cases } = JSON.parse(
  readFileSync(new URL('../../fixtures/pillow/decode.json', import.meta.url), 'utf8'),
) as { cases: readonly { readonly name: string; readonly file: string }[] };
const good = Buffer.from(cases.find(({ name }) => name === 'PNG, grey')!.file, 'base64');
const bad: { readonly [name: string]: Uint8Array } = {
  'ant/03.png': Buffer.from('<html>404'),
  'bee/40.png': good.subarray(0, -20),
};

/** Images of two classes, 60 each, of which some are bad. */
function folderOf(t: ExecutionContext, spoilt: typeof bad, perClass = 60): string {
  const root = createProject(t, {}).file('images');
  for (const name of ['ant', 'bee']) {
    mkdirSync(path.join(root, name), { recursive: true });
    for (let n = 0; n < perClass; n++) {
      const file = `${name}/${String(n).padStart(2, '0')}.png`;
      writeFileSync(path.join(root, file), spoilt[file] ?? good);
    }
  }
  return root;
}

const opened = (root: string, more: object = {}) =>
  load(leafInput(imageFolder({ root, onBadImage: 'skip', ...more })));

test('bad images are left out: the others keep their order and their labels, and each is listed with its reason', async (t) => {
  const root = folderOf(t, bad);
  const data = await opened(root);
  t.is(data.count, 118);
  const labels = await labelsOf(data);
  t.deepEqual([labels.filter((label) => label === 0).length, labels[58], labels[59]], [59, 0, 1]);
  const files = await Promise.all(
    Array.from({ length: data.count }, async (_, index) => {
      const image = await data.image(index);
      return 'file' in image ? path.relative(root, image.file) : '?';
    }),
  );
  t.is(files[3], 'ant/04.png');
  t.false(files.some((file) => file in bad));
  t.deepEqual(data.skipped, [
    {
      name: 'ant/03.png',
      reason: "can't be decoded: it is text: a web page, perhaps, or an SVG, not a JPEG, PNG or WebP",
    },
    { name: 'bee/40.png', reason: "can't be decoded: it is damaged, or its end is missing" },
  ]);
  // None is looked for unless it is asked for.
  const all = await load(leafInput(imageFolder({ root })));
  t.deepEqual([all.count, all.skipped], [120, undefined]);
});

test('which are bad depends neither on threads nor on order', async (t) => {
  const data = await load(leafInput(imageFolder({ root: folderOf(t, bad) })));
  const alone = await findBad(data, 0);
  t.deepEqual(
    alone.map(({ index }) => index),
    [3, 100],
  );
  t.deepEqual(await findBad(data, 3), alone);
});

test('more than one in a hundred are refused, and one of a few is not', async (t) => {
  const third = { ...bad, 'bee/41.png': new Uint8Array() };
  const error = await t.throwsAsync(opened(folderOf(t, third)), { instanceOf: StageError });
  t.regex(
    error!.message,
    /^3 of 120 images can't be decoded: ant\/03\.png can't .*, bee\/41\.png can't be decoded: it is empty$/,
  );
  t.is((await opened(folderOf(t, bad, 4))).count, 7);
  // Images that are too large are bad, too: here all of them.
  await t.throwsAsync(opened(folderOf(t, {}, 2), { maxPixels: 239 }), { message: /^4 of 4 images can't/ });
});

test('a file that can not be read is no bad image: it may be read next time', async (t) => {
  const root = folderOf(t, {}, 3);
  mkdirSync(path.join(root, 'ant/more.png'));
  await t.throwsAsync(opened(root), { message: `${root}/ant/more.png: can't be read (EISDIR)` });
});

test('a stage says what its data left out: in what the table shows, as a warning, and each in a file', async (t) => {
  const outDir = createProject(t, {}).dir;
  const warnings: string[] = [];
  const inputOf = (data: Partial<Dataset>) => ({ load: async () => data });
  const skipped = ['b', 'a'].map((name) => ({
    name: `${name}.png`,
    reason: "can't be decoded: it is empty",
  }));
  const context = (inputs: object) =>
    ({ outDir, inputs, warn: (message: string) => warnings.push(message) }) as unknown as StageContext;
  const run = reportSkipped(async ({ inputs }) => {
    // More than once, as some stages do.
    for (const input of Object.values<StageInput>({
      ...inputs,
      again: (inputs as { train: StageInput }).train,
    }))
      await input.load();
    return { metrics: { top1: 0.5 }, about: '9 labels' };
  });
  const whole = await run(context({ train: inputOf({ count: 4 }) }));
  t.deepEqual(whole, { metrics: { top1: 0.5 }, about: '9 labels' });
  const noted = await run(context({ train: inputOf({ count: 4, notes: ['3 boxes without an area'] }) }));
  t.is(noted.about, '9 labels; train images: 3 boxes without an area');
  t.deepEqual(warnings.splice(0), ['train images: 3 boxes without an area']);
  const result = await run(
    context({ train: inputOf({ count: 1998, skipped }), test: inputOf({ count: 5 }) }),
  );
  const said = "2 of 2,000 train images left out, since they can't be decoded";
  t.deepEqual(result, { metrics: { top1: 0.5 }, about: `9 labels; ${said}` });
  t.deepEqual(warnings, [`${said}: b.png and others; skipped.txt among its outputs lists them`]);
  t.is(
    readFileSync(path.join(outDir, 'skipped.txt'), 'utf8'),
    "train a.png: can't be decoded: it is empty\ntrain b.png: can't be decoded: it is empty\n",
  );
});
