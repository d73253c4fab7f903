import test from 'ava';
import { z } from 'zod';
import { change } from '../../../../framework/experiment/changes/apply.ts';
import { assign } from '../../../../framework/experiment/changes/assign.ts';
import { product } from '../../../../framework/experiment/changes/sweep.ts';
import { defineExperiment } from '../../../../framework/experiment/define.ts';
import { declare } from '../../../../framework/experiment/read.ts';
import type { Experiment } from '../../../../framework/experiment/types.ts';
import { defineComponent } from '../../../../framework/stage/define.ts';
import { refusals } from '../../../support/refused.ts';
import { fake } from '../../../support/typed-parts.ts';

/** Its schema isn't strict: it drops what it doesn't know. */
const lax = defineComponent({
  role: 'tokenizer',
  kind: 'lax',
  schema: z.object({ size: z.int().default(8), dim: z.int().default(2) }),
});

const experiment = defineExperiment({
  name: 'assigned',
  seeds: [0],
  data: { train: fake('dataset'), test: fake('dataset') },
  tokenizers: { beit: lax({}) },
  pretraining: { base: fake('pretraining') },
  downstream: { finetune: fake('downstream') },
  baseline: 'beit',
}) as Experiment;

const ignored = 'tokenizers.beit.sise: there is no such field (did you mean "size"? one of: size, dim)';

test('a field that a component takes no notice of is refused, also beside one that it does', (t) => {
  const set = ['tokenizers.beit.dim=4', 'tokenizers.beit.sise=512'];
  t.deepEqual(refusals(experiment, { set }), [ignored]);
  t.deepEqual(refusals(experiment, { set: set.toReversed() }), [ignored]);
  const sweep = product({ 'tokenizers.beit.dim': [4], 'tokenizers.beit.sise': [512] });
  t.deepEqual(refusals(defineExperiment({ ...experiment, sweep } as never) as Experiment), [ignored]);
});

test('assignments are made together or not at all', (t) => {
  const good = { path: ['tokenizers', 'beit', 'size'], value: 9 };
  const { tree } = assign(experiment, [good], { done: 'set' });
  t.is(tree.tokenizers.beit!.config.size, 9);
  const bad = { path: ['tokenizers', 'biet', 'size'], value: 9 };
  const refused = assign(experiment, [good, bad], { done: 'set' });
  t.is(refused.tree, experiment);
  t.deepEqual(
    refused.problems.map(({ path, message }) => `${path.join('.')}: ${message}`),
    ['tokenizers.biet: there is no such field'],
  );
});

test('flags hand on another value and leave the one before as it was', (t) => {
  const before = declare(experiment);
  const flags = {
    set: ['tokenizers.beit.size=9', 'nonsense'],
    seeds: [5],
    sweep: ['tokenizers.beit.dim=1,2'],
  };
  const after = change(before, flags);
  t.deepEqual(before, declare(experiment));
  t.deepEqual(after.overrides, [
    { path: 'tokenizers.beit.size', from: 8, to: 9 },
    { flag: 'seeds', path: 'seeds', from: [0], to: [5] },
  ]);
  t.deepEqual(after.swept, { 'tokenizers.beit.dim': [1, 2] });
  t.deepEqual(after.experiment.sweep, [{ 'tokenizers.beit.dim': 1 }, { 'tokenizers.beit.dim': 2 }]);
  t.deepEqual(
    after.problems.map(({ message, origin }) => `${origin}: ${message}`),
    ['set: --set nonsense is not an assignment'],
  );
});

test('a star in a path stands for every name whose field is there', (t) => {
  const deep = defineComponent({
    role: 'tokenizer',
    kind: 'deep',
    schema: z.strictObject({
      size: z.int().default(8),
      loss: z.strictObject({ weight: z.number().default(1) }).optional(),
    }),
  });
  const several = defineExperiment({
    ...experiment,
    tokenizers: { beit: lax({}), pixel: deep({}), peco: deep({ loss: {} }) },
  } as never) as Experiment;
  const changed = (...set: string[]) => {
    const { overrides, problems } = change(declare(several), { set });
    t.deepEqual(problems, []);
    return overrides.map(({ path, from, to }) => `${path}: ${from} -> ${to}`);
  };
  t.deepEqual(changed('tokenizers.*.size=9'), [
    'tokenizers.beit.size: 8 -> 9',
    'tokenizers.pixel.size: 8 -> 9',
    'tokenizers.peco.size: 8 -> 9',
  ]);
  // Another kind doesn't have it, and an object that isn't there isn't made.
  t.deepEqual(changed('tokenizers.*.loss.weight=2'), ['tokenizers.peco.loss.weight: 1 -> 2']);
  t.deepEqual(changed('tokenizers.p*.size=7', 'tokenizers.*t.dim=1'), [
    'tokenizers.pixel.size: 8 -> 7',
    'tokenizers.peco.size: 8 -> 7',
    'tokenizers.beit.dim: 2 -> 1',
  ]);
  t.deepEqual(refusals(several, { set: ['tokenizers.*.sise=1', 'tokenizers.*=1'] }), [
    'tokenizers.*.sise: there is no such field (a star stands for names of one level: tokenizers.*.steps)',
    'tokenizers.*: there is no such field (a star stands for names of one level: tokenizers.*.steps)',
  ]);
});
