import test from 'ava';
import {
  ablationTable,
  fashionMnist,
  fineTune,
  inception,
  tokenizerEvaluation,
  vgg,
  vqvae,
} from '../../index.ts';

test('a component whose fields all have defaults is made without a config', (t) => {
  const made = [
    [inception(), inception({})],
    [vgg(), vgg({})],
    [tokenizerEvaluation(), tokenizerEvaluation({})],
    [ablationTable(), ablationTable({})],
  ] as const;
  // Functions that close over the config are as good as equal.
  const data = (component: object) => JSON.parse(JSON.stringify(component));
  for (const [without, empty] of made) {
    t.deepEqual(data(without), data(empty));
    t.deepEqual(without.issues, []);
  }
});

test('where a field is required, to leave out the config is an error of the compiler and an issue with that field', (t) => {
  // @ts-expect-error: a data set has a split
  const data = fashionMnist();
  // @ts-expect-error: a training has a length
  const tokenizer = vqvae();
  // @ts-expect-error: as all trainings have
  const task = fineTune();
  t.deepEqual(
    [data, tokenizer, task].map(({ issues }) => issues.map(({ path }) => path.join('.'))),
    [['split'], ['steps'], ['steps']],
  );
});
