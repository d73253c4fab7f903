import path from 'node:path';
import test from 'ava';
import { bundleModules } from '../../../../framework/code/bundle.ts';
import { repository } from '../../../support/project.ts';

test('what the threads run is in the key of every stage that shows images', async (t) => {
  const stages = ['tokenizer/evaluation', 'downstream/probe', 'perceptual/vgg'];
  const entries = stages.map((stage) => path.join(repository, 'components', stage, 'stage.ts'));
  const bundles = await bundleModules(entries, repository);
  const threads = [
    'data/decode/worker.ts',
    'data/decode/decode.ts',
    'data/views/resample.ts',
    'data/views/draw.ts',
    'data/views/simd/compiled.ts',
  ];
  for (const [entry, { sources, packages }] of bundles) {
    for (const file of threads)
      t.true(path.join(repository, 'components', file) in sources, `${file} of ${entry}`);
    t.true(
      packages.some(({ specifier }) => specifier === 'sharp'),
      entry,
    );
  }
});
