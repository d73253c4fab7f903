import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import sharp, { type Metadata } from 'sharp';
import { imageFolder } from '../../../../../components/data/readers/image-folder/config.ts';
import { tinyImageNet } from '../../../../../components/data/readers/image-folder/tiny.ts';

const { train, val, flat, list, classes, images } = tinyImageNet;

test('the shipped folders are laid out and named as ImageNet-1K is', (t) => {
  for (const [root, count] of [
    [train, images.train],
    [val, images.val],
  ] as const) {
    const { issues, provides } = imageFolder({ root });
    t.deepEqual(issues, []);
    t.deepEqual([provides?.images, provides?.classes], [count, classes]);
  }
  for (const wnid of readdirSync(train)) {
    t.regex(wnid, /^n\d{8}$/);
    for (const name of readdirSync(path.join(train, wnid)))
      t.regex(name, new RegExp(`^${wnid}_\\d+\\.JPEG$`));
  }
});

test('they have what real folders have: greys, inks, a PNG with the name of a JPEG, orientation, sizes of all kinds', async (t) => {
  const files = readdirSync(train, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.JPEG$/.test(file),
  );
  const seen = await Promise.all(files.map((file) => sharp(path.join(train, file)).metadata()));
  const count = (is: (one: Metadata) => boolean) => seen.filter(is).length;
  t.is(
    count(({ channels }) => channels === 1),
    3,
  );
  t.is(
    count(({ space }) => space === 'cmyk'),
    1,
  );
  t.is(
    count(({ format }) => format === 'png'),
    1,
  );
  t.is(
    count(({ orientation }) => orientation === 6),
    1,
  );
  t.is(
    count(({ isProgressive }) => isProgressive === true),
    1,
  );
  for (const side of ['width', 'height'] as const) {
    t.true(Math.min(...seen.map((one) => one[side])) >= 40);
    t.true(Math.max(...seen.map((one) => one[side])) <= 60);
  }
});

test('flat validation images are those of the class folders, and the list says where they belong', (t) => {
  const lines = readFileSync(list, 'utf8').trimEnd().split('\n');
  t.is(lines.length, images.val);
  t.deepEqual(
    lines.map((line) => line.split(' ')[0]),
    readdirSync(flat).sort(),
  );
  for (const line of lines) {
    const [name, wnid] = line.split(' ') as [string, string];
    t.deepEqual(readFileSync(path.join(flat, name)), readFileSync(path.join(val, wnid, name)));
  }
});
