import test from 'ava';
import { unshownTasks } from '../../reports/unshown.ts';
import { cell, columns } from './support.ts';

test('a task that returns no metrics, or none that is a column, is named with its rows and the remedy', (t) => {
  const cells = [
    cell('beit', 0, { top1: 0.5, images: 10 }),
    ...[0, 1].map((seed) => cell('beit', seed, { images: 10 }, 'silent')),
    cell('peco', 0, {}, 'silent'),
    cell('peco', 1, { top1: 0.5 }, 'silent'),
    cell('beit', 0, { accuracy: 0.5, 'loss "x"': 1, images: 10 }, 'mine'),
    cell('beit', 0, { psnr: 20 }, 'tokenizer'),
  ];
  t.deepEqual(unshownTasks(columns, cells), [
    {
      variants: ['beit', 'peco'],
      text: 'Task silent returned no metrics for beit, peco seed 0: its `run` has to return { metrics: { name: value } }',
    },
    {
      variants: ['beit'],
      text: 'Task mine measures accuracy, loss "x", of which nothing is a column of the table: add { metric: "accuracy", label: ... } to `columns` of the ablationTable',
    },
  ]);
  t.deepEqual(unshownTasks(columns, [cell('a', 0, {}, 'tokenizer')]), [
    {
      variants: ['a'],
      text: 'The evaluation of tokenizers returned no metrics for a: its `run` has to return { metrics: { name: value } }',
    },
  ]);
});
