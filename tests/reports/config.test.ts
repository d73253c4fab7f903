import test from 'ava';
import { ablationTable } from '../../reports/config.ts';

test('columns that could not be told apart in the table are refused, both named', (t) => {
  const { issues } = ablationTable({
    columns: [
      { metric: 'a', label: 'x' },
      { metric: 'a', label: 'y' },
      { metric: 'b', label: 'x' },
      { metric: 'a', label: 'y' },
    ],
  });
  t.snapshot(issues);
});

test('a metric that is nearly that of a task, and of none, is refused; others become no column', (t) => {
  const { expects } = ablationTable({
    columns: ['topp1', 'mIoU', 'another', 'top1'].map((metric) => ({ metric, label: metric })),
  });
  const facts = { rows: ['beit'], tasks: ['probe'], metrics: ['top1', 'top5'] };
  t.deepEqual(expects?.({ table: { name: 'the table', facts } }), [
    {
      path: ['columns', 0, 'metric'],
      message: 'no task measures it',
      hint: 'did you mean "top1"? one of: top1, top5',
    },
  ]);
  const { metrics: _, ...unknown } = facts;
  t.deepEqual(expects?.({ table: { name: 'the table', facts: unknown } }), []);
});

test('one metric may be shown in two units', (t) => {
  const columns = [
    { metric: 'a', label: '%', scale: 100 },
    { metric: 'a', label: 'share' },
  ];
  t.deepEqual(ablationTable({ columns }).issues, []);
});

for (const [what, column] of [
  ['an empty label', { metric: 'a', label: ' ' }],
  ['a scale of 0', { metric: 'a', label: 'a', scale: 0 }],
  ['a scale that turns the order around', { metric: 'a', label: 'a', scale: -1 }],
] as const) {
  test(`${what} is refused`, (t) => {
    t.snapshot(ablationTable({ columns: [column] }).issues);
  });
}
