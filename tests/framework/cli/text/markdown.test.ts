import { stripVTControlCharacters } from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import { inCharacters, type Look, lookOf } from '../../../../framework/cli/text/look.ts';
import { showMarkdown } from '../../../../framework/cli/text/markdown.ts';
import { cutMiddle, cutToWidth, widthOf } from '../../../../framework/cli/text/width.ts';
import { plain } from '../../../../reports/formats/markdown-text.ts';

const report = [
  '# quickstart',
  '',
  '| variant         |                finetune top-1 % ↑ |                   probe top-1 % ↑ |                   perplexity ↑ |',
  '| --------------- | --------------------------------: | --------------------------------: | -----------------------------: |',
  '| scratch         | **68.73** ± 0.86 (2) +1.99 ± 0.21 |     59.74 ± 0.35 (2) −8.75 ± 0.89 |                              – |',
  '| beit (baseline) |                  66.73 ± 0.64 (2) |                  68.48 ± 0.54 (2) |                 80.4 ± 5.8 (2) |',
  '| pixel\\*         |     67.39 ± 2.68 (2) +0.65 ± 3.32 | **70.14** ± 0.55 (2) +1.66 ± 1.10 | **194.4** ± 11.1 (2) +114 ± 17 |',
  '',
  'Mean ± sample standard deviation over seeds (number of seeds).',
  'After it the difference to the baseline: mean ± sample standard deviation of the differences at equal seeds.',
  '',
  '- Data: 10,000 training images &lt;Fashion-MNIST&gt; and a long line of facts that goes on beyond eighty columns.',
  '',
  '![Reconstructions](reconstructions.png)',
  '',
].join('\n');

const terminal = (columns: number, more: Partial<Look> = {}): Look => ({
  columns,
  unicode: true,
  colour: false,
  ...more,
});

test('without a terminal a report stays as it is, with names as they are', (t) => {
  const names = report.replace('pixel\\* ', 'pixel*  ').replace('&lt;Fashion-MNIST&gt;', '<Fashion-MNIST>');
  t.is(showMarkdown(report, { unicode: true, colour: false }), names);
});

for (const columns of [140, 80, 50, 30])
  test(`a report on ${columns} columns`, (t) => {
    const shown = showMarkdown(report, terminal(columns));
    t.snapshot(`\n${shown}`);
    t.deepEqual(
      shown.split('\n').filter((line) => widthOf(line) > columns),
      [],
    );
    for (const number of ['68.73', '80.4', '114']) t.true(shown.includes(number));
  });

test('a report without Unicode, and with colours', (t) => {
  const look = terminal(80, { unicode: false });
  const shown = inCharacters(showMarkdown(report, look), look);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII
  t.regex(shown, /^[\x00-\x7f]*$/);
  t.snapshot(`\n${shown}`);
  const coloured = showMarkdown(report, terminal(80, { colour: true }));
  t.is(stripVTControlCharacters(coloured), showMarkdown(report.replaceAll('**', ''), terminal(80)));
});

test('whatever names a table has, no line is wider than the terminal, and every cell is there', (t) => {
  const cell = fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => plain(text).trim());
  fc.assert(
    fc.property(
      fc.array(fc.array(cell, { minLength: 3, maxLength: 3 }), { minLength: 2, maxLength: 5 }),
      (rows) => {
        const lines = rows.map((row) => `| ${row.join(' | ')} |`);
        const table = [lines[0], '| --- | ---: | ---: |', ...lines.slice(1)].join('\n');
        for (const columns of [20, 60, 200]) {
          const shown = showMarkdown(table, terminal(columns)).split('\n');
          t.true(shown.every((line) => widthOf(line) <= columns));
        }
      },
    ),
    { numRuns: 50 },
  );
});

test('what is cut is marked, and as wide as it may be', (t) => {
  t.is(cutToWidth('tokenizer/peco', 8), 'tokeniz…');
  t.is(cutMiddle('tokenizer/peco@size=64/seed-0', 15), 'tokeniz…/seed-0');
  t.is(cutToWidth('日本語', 4), '日…');
  for (const most of [0, 1, 2]) t.true(widthOf(cutMiddle('日本語', most)) <= most);
});

test('colour and Unicode go by the terminal and the locale', (t) => {
  const tty = { isTTY: true, columns: 80 };
  t.deepEqual(lookOf({ columns: 80 }, {}), { unicode: true, colour: false }, 'a pipe');
  t.deepEqual(lookOf(tty, { LANG: 'en_GB.UTF-8' }), { columns: 80, unicode: true, colour: true });
  t.deepEqual(lookOf(tty, {}), { columns: 80, unicode: true, colour: true }, 'a container');
  t.false(lookOf(tty, { LANG: 'en_GB.UTF-8', LC_ALL: 'C' }).unicode);
  t.false(lookOf(tty, { LANG: 'de_DE.ISO-8859-1' }).unicode);
  t.true(lookOf(tty, { LC_ALL: 'C.utf8' }).unicode);
  t.false(lookOf(tty, { TERM: 'linux', LANG: 'C.UTF-8' }).unicode);
  t.false(lookOf(tty, { NO_COLOR: '1' }).colour);
  t.true(lookOf(tty, { NO_COLOR: '' }).colour);
  t.false(lookOf(tty, { FORCE_COLOR: '0' }).colour);
  t.true(lookOf(tty, { FORCE_COLOR: '1' }).colour);
  t.false(lookOf(tty, { TERM: 'dumb' }).colour);
  t.false('columns' in lookOf({ isTTY: true, columns: 0 }, {}), 'a size that is not known');
});
