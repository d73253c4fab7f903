import test from 'ava';
import { z } from 'zod';
import { defineExperiment } from '../../../framework/experiment/define.ts';
import type { Role } from '../../../framework/stage/component.ts';
import { defineComponent } from '../../../framework/stage/define.ts';

function fake<R extends Role>(role: R) {
  return defineComponent({ role, kind: role, schema: z.strictObject({}) })({});
}

const parts = {
  name: 'typed',
  seeds: [0],
  data: { train: fake('dataset'), test: fake('dataset') },
  tokenizers: { beit: fake('tokenizer'), peco: fake('tokenizer') },
  pretraining: { base: fake('pretraining') },
  downstream: { finetune: fake('downstream') },
} as const;

test('a declared experiment has no issues', (t) => {
  t.deepEqual(defineExperiment({ ...parts, baseline: 'beit' }).issues, []);
  const scratch = { downstream: { finetune: fake('downstream') } };
  t.deepEqual(defineExperiment({ ...parts, scratch, baseline: 'scratch' }).issues, []);
  t.deepEqual(defineExperiment({ ...parts, scratch: { downstream: {} }, baseline: 'peco' }).issues, []);
});

test('a baseline that is not declared is an error of the compiler and an issue', (t) => {
  // @ts-expect-error: no such tokenizer
  const { issues } = defineExperiment({ ...parts, baseline: 'biet' });
  t.deepEqual(issues, [
    {
      path: ['baseline'],
      message: 'not a declared tokenizer',
      hint: 'did you mean "beit"? one of: beit, peco',
    },
  ]);
});

test('the row scratch is a baseline only where it is declared', (t) => {
  // @ts-expect-error: there is no row scratch
  t.is(defineExperiment({ ...parts, baseline: 'scratch' }).issues.length, 1);
});

test('an unknown field is an error of the compiler and an issue', (t) => {
  // @ts-expect-error: no such field
  t.deepEqual(defineExperiment({ ...parts, baseline: 'beit', evalution: fake('evaluation') }).issues, [
    {
      path: ['evalution'],
      message: 'unknown field',
      hint: 'did you mean "evaluation"? one of: name, seeds, data, tokenizers, pretraining, downstream, evaluation, scratch, baseline, report, sweep, slurm',
    },
  ]);
});

test('a task of the row scratch must be declared', (t) => {
  const scratch = { downstream: { fintune: fake('downstream') } } as const;
  // @ts-expect-error: no such task
  t.is(defineExperiment({ ...parts, scratch, baseline: 'beit' }).issues.length, 1);
});

test('a component of another role is an error of the compiler and an issue', (t) => {
  const pretraining = { base: fake('dataset') };
  // @ts-expect-error: a dataset is no pretraining
  t.is(defineExperiment({ ...parts, pretraining, baseline: 'beit' }).issues.length, 1);
});

test('names that would break ids or paths are refused', (t) => {
  const tokenizers = { 'a/b': fake('tokenizer'), scratch: fake('tokenizer') };
  const downstream = { tokenizer: fake('downstream') };
  const { issues } = defineExperiment({ ...parts, tokenizers, downstream, baseline: 'a/b' });
  t.deepEqual(
    issues.map(({ path }) => path.join(' ')),
    ['tokenizers a/b', 'tokenizers scratch', 'downstream tokenizer'],
  );
});

test('the name of an experiment is the name of a folder, on every file system', (t) => {
  const tell = (name: string) =>
    defineExperiment({ ...parts, name, baseline: 'beit' }).issues.map(({ message }) => message);
  for (const name of ['p', 'vitb-300ep', 'v1.2', 'console', 'com', 'x'.repeat(100)])
    t.deepEqual(tell(name), []);
  for (const name of ['', '.', '..', 'a/b', 'a b', 'p.', 'CON', 'nul.txt', 'com1', 'x'.repeat(101)])
    t.regex(tell(name).join(), /names a folder/, name);
});
