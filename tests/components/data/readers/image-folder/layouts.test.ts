import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { imageFolder } from '../../../../../components/data/readers/image-folder/config.ts';
import { load } from '../../../../../components/data/readers/image-folder/load.ts';
import { tinyImageNet } from '../../../../../components/data/readers/image-folder/tiny.ts';
import { labelsOf } from '../../../../../components/data/subset.ts';
import { createProject } from '../../../../support/project.ts';
import { leafInput } from '../../../../support/stage-input.ts';

type Input = Parameters<typeof imageFolder>[0];

/** Files with a text in them; of images nothing is read here. */
function folderOf(
  t: ExecutionContext,
  files: readonly string[],
  texts: { [name: string]: string } = {},
): string {
  const root = createProject(t, {}).file('here');
  mkdirSync(root);
  for (const [name, text] of [...files.map((file) => [file, ''] as const), ...Object.entries(texts)]) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    if (!name.endsWith('/')) writeFileSync(path.join(root, name), text);
  }
  return root;
}

/** Problems as a user sees them. */
function told(input: Input, root: string): string[] {
  return imageFolder(input).issues.map(({ path: field, message, hint, missing }) =>
    `${field.join('.')}${missing ? ' (missing)' : ''}: ${message}${hint === undefined ? '' : `\n${hint}`}`.replaceAll(
      root,
      'ROOT',
    ),
  );
}

async function classesOf(input: Input): Promise<string[]> {
  const component = imageFolder(input);
  const data = await load(leafInput(component));
  const labels = await labelsOf(data);
  return Promise.all(
    Array.from(labels, async (label, index) => {
      const image = await data.image(index);
      return `${'file' in image ? path.basename(image.file) : '?'} ${data.classes[label]}`;
    }),
  );
}

test('what does not belong into a folder of class folders is reported by name, all kinds at once', (t) => {
  const many = Array.from({ length: 9 }, (_, i) => `bee/${i}.tif`);
  const root = folderOf(t, [
    ...['ant/a.png', 'ant/Thumbs.db', '.DS_Store', 'ant/.DS_Store', 'empty/.keep', 'hollow/desktop.ini'],
    ...['n01440764.tar', 'val.txt', 'ant/notes.txt', 'ant/more/b.png', ...many],
  ]);
  symlinkSync(path.join(root, 'nowhere'), path.join(root, 'lost'));
  t.snapshot(told({ root }, root));
});

test('folders that can not be listed are reported', (t) => {
  const root = folderOf(t, ['ant/a.png', 'bee/b.png']);
  chmodSync(path.join(root, 'bee'), 0);
  const seen = told({ root }, root);
  chmodSync(path.join(root, 'bee'), 0o755);
  // The superuser may read everything.
  if (process.getuid?.() === 0) t.deepEqual(seen, []);
  else t.regex(seen[0]!, /bee can't be read: permission denied/);
});

test('a root that is one level too high or too low, or flat, is reported with the one that was meant', (t) => {
  const root = folderOf(t, [
    ...['data/train/ant/a.png', 'data/train/bee/b.png', 'data/val/ant/c.png', 'data/val/bee/d.png'],
    ...['boxed/ant/images/a.png', 'boxed/bee/images/b.png', 'bare/.hidden', 'file'],
  ]);
  for (const below of ['data', 'data/train/ant', 'boxed', 'bare', 'file'])
    t.snapshot(told({ root: path.join(root, below) }, root), below);
  const flat = { labels: path.join(root, 'file') };
  for (const below of ['data/train', 'bare', 'file'])
    t.snapshot(told({ root: path.join(root, below), ...flat }, root), `flat: ${below}`);
});

test('links to folders and to images, and endings in capitals, are taken as what they are', async (t) => {
  const root = folderOf(t, ['there/a.JPEG', 'there/b.WebP', 'images/ant/a.PNG']);
  symlinkSync(path.join(root, 'there'), path.join(root, 'images/bee'));
  symlinkSync(path.join(root, 'there/a.JPEG'), path.join(root, 'images/ant/b.Jpg'));
  const seen = await classesOf({ root: path.join(root, 'images') });
  t.deepEqual(seen, ['a.PNG ant', 'b.Jpg ant', 'a.JPEG bee', 'b.WebP bee']);
});

test('flat validation images have the classes of the class folders, by each kind of list', async (t) => {
  const { val, flat, list, groundTruth, synsets } = tinyImageNet;
  const names = readFileSync(list, 'utf8').trimEnd().split('\n');
  const wnids = names.map((line) => line.split(' ')[1]!);
  const sorted = [...new Set(wnids)].sort();
  const root = folderOf(t, [], {
    'windows.txt': `\uFEFF${names.toReversed().join('\r\n')}\r\n\r\n`,
    'caffe.txt': names.map((line, n) => `${line.split(' ')[0]} ${sorted.indexOf(wnids[n]!)}`).join('\n'),
    'sorted.txt': sorted.map((wnid) => `${wnid} some, words`).join('\n'),
    'solution.csv': [
      'ImageId,PredictionString',
      ...names.map((line, n) => `${line.split('.')[0]},${wnids[n]} 1 2 30 40 ${wnids[n]} 5 6 7 8 `),
    ].join('\n'),
    'classes.txt': wnids.join('\n'),
  });
  const expected = names;
  const at = (name: string) => path.join(root, name);
  for (const lists of [
    { labels: list },
    { labels: list, synsets },
    { labels: at('windows.txt') },
    { labels: at('caffe.txt'), synsets: at('sorted.txt') },
    { labels: at('solution.csv') },
    { labels: at('classes.txt') },
    { labels: groundTruth, synsets },
  ]) {
    const made = imageFolder({ root: flat, ...lists, expected: { images: 24, classes: 8 } });
    t.deepEqual(made.issues, []);
    t.deepEqual(await classesOf({ root: flat, ...lists }), expected);
    // Those of the class folders, in their order.
    const { classNames, perClass } = imageFolder({ root: val }).provides!;
    t.deepEqual([made.provides?.classNames, made.provides?.perClass], [classNames, perClass]);
  }
});

test('the lists are in the key, their places are not', (t) => {
  const { flat, groundTruth, synsets } = tinyImageNet;
  const made = imageFolder({ root: flat, labels: groundTruth, synsets });
  t.like(made.config, { root: undefined, labels: 'given', synsets: 'given' });
  t.deepEqual(made.files, { images: flat, labels: groundTruth, synsets });
});

test('what is wrong with a list is reported with its lines and names; no image gets a wrong class silently', (t) => {
  const images = ['a_1.png', 'a_2.png', 'a_3.png'];
  const problems = (labels: string, synsets?: string) => {
    const root = folderOf(
      t,
      images.map((name) => `images/${name}`),
      {
        labels,
        ...(synsets === undefined ? {} : { synsets }),
      },
    );
    const lists = {
      labels: path.join(root, 'labels'),
      ...(synsets === undefined ? {} : { synsets: path.join(root, 'synsets') }),
    };
    const seen = told({ root: path.join(root, 'images'), ...lists }, root);
    t.true(seen.length > 0, labels);
    return seen.map((text) => text.split('\n').slice(0, text.includes('is one of') ? 1 : 2));
  };
  const whole = 'a_1.png ant\na_2.png bee\na_3.png ant';
  t.snapshot({
    'nothing in it': problems('\n\r\n'),
    'other images, twice, without a class': problems(
      'b_1.png ant\nval/a_2.png bee\na_3.png ant\na_3.png bee',
    ),
    'a word missing': problems('a_1.png ant\na_2.png'),
    'too many words': problems('a_1.png ant 0\na_2.png bee 1\na_3.png ant 0'),
    'names only': problems(images.join('\n')),
    'the other way round': problems('ant a_1.png\nbee a_2.png\nant a_3.png'),
    'numbers without classes': problems('a_1.png 0\na_2.png 1\na_3.png 0'),
    'ids without classes': problems('1\n2\n1'),
    'numbers and names': problems('a_1.png 0\na_2.png bee\na_3.png 0', 'ant\nbee'),
    'counted from 1 instead of 0': problems('a_1.png 1\na_2.png 2\na_3.png 1', 'ant\nbee'),
    'counted from 0 instead of 1': problems('0\n1\n0', 'bee\nant'),
    'ids in alphabetical order': problems('1\n2\n1', 'ant\nbee'),
    'too few lines': problems('1\n2', 'bee\nant'),
    'class twice': problems(whole, 'ant\nbee\nant'),
    'class unknown': problems(whole, 'ant\ncat'),
    'class without images': problems(whole, 'ant\nbee\ncat'),
    binary: problems(`\u0000\u001b[31m${'x'.repeat(200)}`),
  });
  const gap = folderOf(t, ['images/a_1.png', 'images/a_3.png'], { labels: 'ant\nbee' });
  t.snapshot(told({ root: path.join(gap, 'images'), labels: path.join(gap, 'labels') }, gap), 'a gap');
});

test('lists that are not there are missing; synsets alone are of no use', (t) => {
  const root = folderOf(t, ['images/a_1.png']);
  const lists = { labels: path.join(root, 'val.txt'), synsets: path.join(root, 'synsets.txt') };
  t.snapshot(told({ root: path.join(root, 'val'), ...lists }, root));
  t.snapshot(told({ root: path.join(root, 'images'), synsets: tinyImageNet.synsets }, root));
  t.snapshot(told({ root: path.join(root, 'images'), labels: root }, root));
});

test('a smoke run reads the folders that ship: train or test images, flat where the folder is', (t) => {
  const real: Input[] = [
    { root: '/nowhere' },
    { root: '/nowhere', labels: '/a' },
    { root: '/nowhere', labels: '/a', synsets: '/b' },
  ];
  for (const input of real) {
    const { smoke } = imageFolder({ ...input, expected: { classes: 1000 } });
    const [train, test] = ['train', 'test'].map((member) =>
      imageFolder({ ...input, ...(smoke!({ member, inputs: {} }) as Input) }),
    );
    t.deepEqual([train!.issues, test!.issues], [[], []]);
    t.deepEqual(train!.provides?.classNames, test!.provides?.classNames);
    t.deepEqual(
      [train!.provides?.images, test!.provides?.images],
      [input.labels === undefined ? 80 : 24, 24],
    );
  }
});

test('any list of any classes gives each image its own, whatever the order of lines', async (t) => {
  const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/);
  const classes = fc.uniqueArray(name, { minLength: 1, maxLength: 6 });
  const lists = classes.chain((words) =>
    fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 12 }),
  );
  await fc.assert(
    fc.asyncProperty(lists, fc.infiniteStream(fc.nat()), async (of, order) => {
      const root = folderOf(
        t,
        of.map((_, n) => `images/x${n}.png`),
      );
      const lines = of.map((word, n) => ({ line: `x${n}.png ${word}`, at: order.next().value as number }));
      writeFileSync(
        path.join(root, 'list'),
        lines
          .sort((a, b) => a.at - b.at)
          .map(({ line }) => line)
          .join('\n'),
      );
      const seen = await classesOf({ root: path.join(root, 'images'), labels: path.join(root, 'list') });
      t.deepEqual(seen.toSorted(), of.map((word, n) => `x${n}.png ${word}`).toSorted());
    }),
    { numRuns: 25 },
  );
});
