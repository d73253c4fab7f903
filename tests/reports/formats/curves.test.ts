import test from 'ava';
import { isHistoryThinned, leastLines, mostLines, shownHistories } from '../../../reports/formats/history.ts';
import { axisValue, endIn, lastOf } from '../../../reports/formats/html/chart.ts';
import { usageCharts } from '../../../reports/formats/html/codebooks.ts';
import { chartsOf, isThinned } from '../../../reports/formats/html/curves.ts';
import { familiesOf } from '../../../reports/formats/html/families.ts';
import type { FullReport, HistoryRow } from '../../../reports/report.ts';

function stage(id: string, history: readonly HistoryRow[], task?: string): FullReport['stages'][number] {
  const [role, variant] = id.split('/');
  const cells = task === undefined ? [] : [{ variant, task }];
  return { id, role, kind: 'k', seed: 0, config: {}, needs: [], cells, history };
}

const loss = (...values: readonly (readonly [step: number, loss: unknown])[]): readonly HistoryRow[] =>
  values.map(([step, value]) => ({ step, loss: value }));

test('a curve is the mean of the seeds that have a step, from the least to the largest', (t) => {
  const [chart] = chartsOf(
    familiesOf([
      stage('tokenizer/a/seed-0', loss([1, 4], [2, 2])),
      stage('tokenizer/a/seed-1', loss([1, 6], [2, 'NaN'], [3, 1])),
      stage('tokenizer/b', loss([2, 9])),
    ]),
  );
  t.like(chart, { group: 'tokenizer', metric: 'loss', x: [1, 2, 3] });
  t.deepEqual(chart.series, [
    { label: 'a', colour: 0, mean: [5, 2, 1], low: [4, 2, 1], high: [6, 2, 1] },
    { label: 'b', colour: 1, mean: [null, 9, null] },
  ]);
});

test('stages of a row have its colour in every chart, also where others log nothing', (t) => {
  const history = loss([1, 1], [2, 2]);
  const charts = chartsOf(
    familiesOf([
      stage('tokenizer/a/seed-0', []),
      stage('tokenizer/b/seed-0', history),
      stage('pretraining/b/base/seed-0', history),
      stage('downstream/b/probe/seed-0', history, 'probe'),
      stage('downstream/scratch/probe/seed-0', history, 'probe'),
    ]),
  );
  t.deepEqual(
    charts.map(({ group, series }) => [group, ...series.map(({ label, colour }) => `${label} ${colour}`)]),
    [
      ['tokenizer', 'b 1'],
      ['pretraining', 'b/base 1'],
      ['downstream probe', 'b 1', 'scratch 2'],
    ],
  );
});

test('a long history is thinned, with its last step; one value is no curve', (t) => {
  const many = Array.from({ length: 1000 }, (_, index) => [index + 1, index] as const);
  const [chart, ...others] = chartsOf(
    familiesOf([stage('tokenizer/a', loss(...many)), stage('network/vgg', loss([5, 1]))]),
  );
  t.true(chart.x.length <= 300);
  t.is(chart.x.at(-1), 1000);
  t.is(chart.series[0].mean.at(-1), 999);
  t.deepEqual(others, []);
});

test('of many lines each has fewer steps, always with the last', (t) => {
  const many = loss(...Array.from({ length: 100 }, (_, index) => [index + 1, index] as const));
  const families = (rows: number) =>
    familiesOf(Array.from({ length: rows }, (_, row) => stage(`tokenizer/${row}`, many)));
  t.is(chartsOf(families(60))[0].x.length, 100);
  t.false(isThinned(families(60)));
  const [{ x, series }] = chartsOf(families(200));
  t.deepEqual([x.length, x.at(-1), series.length], [25, 100, 200]);
  t.true(isThinned(families(200)));
});

test('what is logged now and then, in lines of its own, is a curve of its own', (t) => {
  const history = [...loss([1, 5], [2, 4], [3, 3]), { step: 3, validation: 0.5 }, ...loss([4, 2])];
  const charts = chartsOf(
    familiesOf([stage('downstream/a/probe', [...history, { step: 4, validation: 0.75 }], 'probe')]),
  );
  t.deepEqual(
    charts.map(({ metric, x, series: [{ mean }] }) => [metric, x, mean]),
    [
      ['loss', [1, 2, 3, 4], [5, 4, 3, 2]],
      ['validation', [3, 4], [0.5, 0.75]],
    ],
  );
  t.is(charts[1].title, 'score on training images that are held out (validation)');
});

test('where lines end at different steps the last value of each is shown as such', (t) => {
  const end = (...lengths: readonly number[]) => {
    const many = (length: number) => Array.from({ length }, (_, index) => [index + 1, index] as const);
    const stages = lengths.map((length) => stage(`tokenizer/${length}`, loss(...many(length))));
    const [chart] = chartsOf(familiesOf(stages));
    return [endIn(chart), chart.series.map(lastOf)];
  };
  t.deepEqual(end(3), ['at step 3', [2]]);
  t.deepEqual(end(3, 5), ['where each line ends', [2, 4]]);
});

test('of a large experiment history.csv has a part of each history, with the last and with what is rare', (t) => {
  const lines = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ step: index + 1, loss: index }));
  const long = [...lines(3000), { step: 1500, validation: 0.5 }];
  const few = [{ history: long }, { history: [] }, { history: lines(3) }];
  t.false(isHistoryThinned(few));
  t.deepEqual(
    shownHistories(few).map(({ rows }) => rows.length),
    [3001, 3],
  );
  const many = [{ history: lines(3) }, ...Array.from({ length: 200 }, () => ({ history: long }))];
  t.true(isHistoryThinned(many));
  const [short, ...shown] = shownHistories(many);
  t.is(short.rows.length, 3);
  t.true(shown.flatMap(({ rows }) => rows).length <= mostLines);
  for (const { rows } of shown) {
    t.true(rows.length > leastLines);
    t.deepEqual(rows.at(-2), { step: 3000, loss: 2999 });
    t.deepEqual(rows.at(-1), { step: 1500, validation: 0.5 });
    const steps = rows.slice(0, -1).map(({ step }) => Number(step));
    t.is(new Set(steps.slice(1).map((step, index) => step - steps[index])).size, 1, 'evenly spaced');
  }
});

test('the use of codes is a line by rank, that ends where a seed has no such code', (t) => {
  const evaluated = (id: string, counts: readonly number[]): FullReport['stages'][number] => ({
    ...stage(id, []),
    codebook: { images: 1, counts, shown: [], patch: 8, gap: 1, picture: Buffer.of() },
  });
  const [chart] = usageCharts(
    familiesOf([
      evaluated('evaluation/a/seed-0', [0, 3, 1, 4]),
      evaluated('evaluation/a/seed-1', [4, 0, 4, 0]),
      evaluated('evaluation/b/seed-0', [5]),
    ]),
  );
  t.deepEqual(chart.x, [1, 2, 3, 4]);
  t.deepEqual(chart.series, [
    {
      ...{ label: 'a', colour: 0, mean: [50, 43.75, null, null] },
      ...{ low: [50, 37.5, null, null], high: [50, 50, null, null] },
    },
    { label: 'b', colour: 1, mean: [100, null, null, null] },
  ]);
  const large = Array.from({ length: 8192 }, (_, code) => code + 1);
  const [{ x, series }] = usageCharts(familiesOf([evaluated('evaluation/a', large)]));
  t.true(x.length <= 300 && x.includes(1) && x.includes(2) && x.at(-1) === 8192);
  t.is(series[0].mean.at(-1), Number((100 / ((8192 * 8193) / 2)).toPrecision(6)));
});

test('metrics of trainings have the names of the field', (t) => {
  const history = [1, 2].map((step) => ({ step, accuracy: step, learningRate: step, own: step }));
  const titles = (kind: string) =>
    chartsOf(familiesOf([{ ...stage('pretraining/a', history), kind }])).map(
      ({ title, metric }) => title ?? metric,
    );
  t.deepEqual(titles('masked-image-modelling'), ['accuracy of masked tokens', 'learning rate', 'own']);
  t.deepEqual(titles('of-a-user'), ['accuracy', 'learning rate', 'own']);
});

test('numbers beside an axis are short, however large or small', (t) => {
  const numbers = [0, 0.05, -2.5, 20000, 600000, 150000000, 0.00002, 1e-5, 1.55e8, 0.1 + 0.2];
  const told = ['0', '0.05', '-2.5', '20000', '6e5', '1.5e8', '2e-5', '1e-5', '1.55e8', '0.3'];
  t.deepEqual(numbers.map(axisValue), told);
});
