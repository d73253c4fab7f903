import test from 'ava';
import {
  ablationTable,
  dvae,
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

test('a layer that the network of a perceptual loss lacks is an error of the compiler and an issue', (t) => {
  const network = vgg();
  const right = [
    vqvae({ steps: 1, loss: { perceptual: { network, layers: ['relu1_2', 'relu3_2'] } } }),
    vqvae({ steps: 1, loss: { perceptual: { network, layers: { relu1_2: 1, relu3_2: 0.5 } } } }),
    dvae({ steps: 1, loss: { perceptual: { network: inception(), layers: ['mixed0'] } } }),
  ];
  const wrong = [
    // @ts-expect-error: no such layer
    vqvae({ steps: 1, loss: { perceptual: { network, layers: ['relu9_1'] } } }),
    // With a weight only the loader knows.
    vqvae({ steps: 1, loss: { perceptual: { network, layers: { relu9_1: 1 } } } }),
    // @ts-expect-error: that is one of vgg
    dvae({ steps: 1, loss: { perceptual: { network: inception(), layers: ['relu1_2'] } } }),
  ];
  t.deepEqual(
    right.map(({ issues }) => issues),
    [[], [], []],
  );
  for (const { issues } of wrong) t.regex(issues[0]!.message, /no such layer/);
});
