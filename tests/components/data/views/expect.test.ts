import test from 'ava';
import { knn } from '../../../../components/downstream/knn/config.ts';
import { linearProbe } from '../../../../components/downstream/probe/config.ts';
import { vgg } from '../../../../components/perceptual/vgg/config.ts';
import { maskedImageModelling } from '../../../../components/pretraining/mim/config.ts';
import { tokenizerEvaluation } from '../../../../components/tokenizer/evaluation/config.ts';
import type { WiredInput } from '../../../../framework/stage/component.ts';

const fact = (name: string, facts: WiredInput['facts']): WiredInput => ({ name, facts });
const folder = { size: null, channels: 3, classes: 2, images: 100, perClass: [50, 50] };
const train = fact('data.train', { ...folder, classNames: ['ant', 'bee'] });
const test_ = (classNames: string[]) => fact('data.test', { ...folder, classNames });
const tokenizer = fact('the tokenizer "peco"', { stride: 8 });

test('views of images without a common size say one, before anything runs', (t) => {
  const inputs = { train, test: test_(['ant', 'bee']), tokenizer };
  const missing = (name: string) => ({
    path: ['view', 'size'],
    message: 'is missing',
    hint: `the images of ${name} differ in size: give the view one`,
  });
  t.deepEqual(tokenizerEvaluation({ probeLabels: 0 }).expects!(inputs), [missing('data.test')]);
  t.deepEqual(
    linearProbe({ layer: 1, labels: 10 }).expects!({ ...inputs, pretrained: fact('p', { depth: 1 }) }),
    [missing('data.train')],
  );
  t.deepEqual(tokenizerEvaluation({ probeLabels: 0, view: { size: 16 } }).expects!(inputs), []);
});

test('pictures are tiled by tokens and patches, also where the view gives their size', (t) => {
  const inputs = { train, test: test_(['ant', 'bee']), tokenizer };
  t.deepEqual(tokenizerEvaluation({ probeLabels: 0, view: { size: 20 } }).expects!(inputs), [
    { path: ['view', 'size'], message: 'expected a multiple of 8, the stride of the tokenizer "peco"' },
  ]);
  const backbone = { dim: 8, depth: 1, heads: 1, patch: 16 };
  const [issue] = linearProbe({ layer: 1, labels: 10, backbone, view: { size: 40 } }).expects!(inputs);
  t.deepEqual(issue?.path, ['backbone', 'patch']);
});

test('classes of another name are reported: a label would mean something else', (t) => {
  const probe = linearProbe({ layer: 1, labels: 10, view: { size: 16 } });
  const issues = probe.expects!({ train, test: test_(['ant', 'cat']), pretrained: fact('p', { depth: 1 }) });
  t.deepEqual(issues, [
    { path: ['classes'], of: 'test', message: 'expected the classes of data.train: class 1 is bee, not cat' },
  ]);
});

test('a task shows a pretrained network images of the size that it knows', (t) => {
  const inputs = { train, test: test_(['ant', 'bee']) };
  const pretrained = fact('the pretraining "base"', { depth: 1, size: 32 });
  const probe = (size: number) =>
    linearProbe({ layer: 1, labels: 10, view: { size } }).expects!({ ...inputs, pretrained });
  t.deepEqual(probe(32), []);
  t.deepEqual(probe(48), [
    { path: ['view', 'size'], message: 'expected 32, the size that the pretraining "base" sees, not 48' },
  ]);
});

test('patches tile the images of a task, also where the pretraining does not say which size it sees', (t) => {
  const pretrained = fact('the pretraining "base"', { depth: 1, patch: 8 });
  const issuesOf = (size: number) => {
    const own = (data: typeof train) => ({ ...data, facts: { ...data.facts, size } });
    const inputs = { train: own(train), test: own(test_(['ant', 'bee'])), pretrained };
    return knn({ layer: 1, k: 1 }).expects!(inputs);
  };
  t.deepEqual(issuesOf(24), []);
  t.deepEqual(issuesOf(28), [
    {
      path: ['view', 'size'],
      message: 'expected a multiple of 8, the patch of the pretraining "base", not 28',
    },
  ]);
});

test('a shift that leaves nothing of an image, and one of pictures of two sizes, are reported before anything runs', (t) => {
  const data = fact('data.train', { size: 28, images: 100, classes: 2 });
  const backbone = { dim: 8, depth: 1, heads: 1, patch: 4 };
  const issuesOf = (distance: number, size?: number) =>
    maskedImageModelling({
      ...{ backbone, steps: 1, batchSize: 4, view: { crop: { kind: 'shift', distance } } },
      ...(size === undefined ? {} : { tokens: { size } }),
    }).expects!({ train: data, tokenizer: fact('the tokenizer "peco"', { stride: size ? 8 : 4 }) });
  t.deepEqual(issuesOf(27), []);
  t.deepEqual(issuesOf(28), [
    {
      path: ['view', 'crop', 'distance'],
      message: 'expected at most 27',
      hint: 'images have 28 pixels a side: moved further, nothing of them is left',
    },
  ]);
  const [issue, ...others] = issuesOf(2, 56);
  t.deepEqual(others, []);
  t.deepEqual([issue?.path, issue?.message], [['tokens', 'size'], 'expected 28, the size of the view']);
});

test('data of one class is reported before anything runs, where classes are to be told apart', (t) => {
  const one = fact('data.train', { size: 28, images: 100, classes: 1, classNames: ['ant'], perClass: [100] });
  const probe = linearProbe({ layer: 1, labels: 10 });
  t.deepEqual(probe.expects!({ train: one, test: one, pretrained: fact('p', { depth: 1 }) }), [
    {
      path: ['labels'],
      message: 'data.train has 1 class: there is nothing to tell apart',
      hint: 'take data of at least 2 classes',
    },
  ]);
  const issuesOf = (config: Parameters<typeof vgg>[0]) =>
    vgg(config).expects!({ train: one }).map(({ path }) => path.join('.'));
  t.deepEqual(issuesOf({}), ['objective']);
  t.deepEqual(issuesOf({ objective: 'rotations' }), []);
  t.deepEqual(issuesOf({ steps: 0 }), []);
});
