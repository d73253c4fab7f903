import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import type { FullFormat } from '../../../reports/formats/contract.ts';
import { csvFormat } from '../../../reports/formats/csv.ts';
import { historyFormat } from '../../../reports/formats/history.ts';
import { jsonFormat } from '../../../reports/formats/json.ts';
import { reportJsonSchema, reportSchema } from '../../../reports/formats/json-schema.ts';
import { latexFormat } from '../../../reports/formats/latex.ts';
import { markdownFormat } from '../../../reports/formats/markdown.ts';
import { pictureFormat } from '../../../reports/formats/picture.ts';
import type { FullReport } from '../../../reports/report.ts';
import { parseCsv, unguarded } from '../../support/csv.ts';
import { repository } from '../../support/project.ts';
import { hostileReport } from './support.ts';

const formats: readonly FullFormat[] = [
  csvFormat,
  markdownFormat,
  latexFormat,
  pictureFormat,
  historyFormat,
  jsonFormat,
];

const runs = { numRuns: 60 };

function textOf(format: FullFormat, report: FullReport, file: string): string {
  const found = format.files(report).find(({ name }) => name === file)!;
  return String(found.content);
}

test('every format gives the same bytes for the same report, in files of its own', (t) => {
  fc.assert(
    fc.property(hostileReport, (report) => {
      const files = formats.flatMap((format) => format.files(report));
      t.deepEqual(
        formats.flatMap((format) => format.files(structuredClone(report))),
        structuredClone(files),
      );
      t.is(new Set(files.map(({ name }) => name)).size, files.length);
      for (const { name } of files) t.regex(name, /^[a-z]+(-[a-z]*)?\.(csv|md|tex|png|json|html)$/);
    }),
    { numRuns: 10 },
  );
});

test('CSV: a record a row, names as they are, nothing that a spreadsheet would compute', (t) => {
  fc.assert(
    fc.property(hostileReport, (report) => {
      const { rows, columns } = report.table;
      const wide = parseCsv(textOf(csvFormat, report, 'ablation.csv'));
      t.deepEqual(
        wide.slice(1).map(([name]) => unguarded(name)),
        rows.map(({ variant }) => variant),
      );
      const history = parseCsv(textOf(historyFormat, report, 'history.csv'));
      t.is(history.length, 1 + 2 * report.stages.length);
      const all = [...wide, ...history, ...parseCsv(textOf(csvFormat, report, 'results.csv'))];
      for (const record of all) for (const field of record) t.notRegex(field, /^[=+@\t\r]|^-(?!\d)/);
      t.true(columns.length > 0);
    }),
    runs,
  );
});

test('markdown: a line a row, as many cells as columns, and no tag', (t) => {
  fc.assert(
    fc.property(hostileReport, (report) => {
      const lines = textOf(markdownFormat, report, 'ablation.md').split('\n');
      const table = lines.filter((line) => line.startsWith('|'));
      t.is(table.length, 2 + report.table.rows.length);
      for (const line of table) t.is(line.split('|').length, 3 + report.table.columns.length);
      for (const line of lines) t.notRegex(line, /[<>]|[\p{Cc}\p{Bidi_Control}]/u);
    }),
    runs,
  );
});

test('LaTeX: a line a row, as many cells as columns, and no command of a name', (t) => {
  fc.assert(
    fc.property(hostileReport, (report) => {
      const lines = textOf(latexFormat, report, 'ablation.tex').split('\n');
      const [from, to] = [lines.indexOf('\\midrule'), lines.indexOf('\\bottomrule')];
      t.is(to - from - 1, report.table.rows.length);
      for (const line of lines.slice(from + 1, to)) {
        t.regex(line, / \\\\$/);
        const body = line.slice(0, -3);
        const commands = body.matchAll(/\\([A-Za-z]+|.)/g);
        for (const [, command] of commands) t.true(allowed.has(command), command);
        const bare = body.replaceAll(/\\([A-Za-z]+|.)/g, '');
        t.is(bare.split('&').length, 1 + report.table.columns.length);
        t.is(bare.split('{').length, bare.split('}').length);
        t.notRegex(bare, /[#%_~^"<>|]|[^\x20-\x7e\u00a1-\u017e]|--(?!$| )/);
        t.is(bare.split('$').length % 2, 1);
        t.notRegex(bare, /^[[*]/);
      }
    }),
    runs,
  );
});

const allowed = new Set(
  'textbackslash textasciitilde textasciicircum textless textgreater textbar textquotedbl textasciigrave texttt textbf footnotesize pm uparrow downarrow { } # $ % & _'.split(
    ' ',
  ),
);

test('JSON: as its schema says, with every name as it is', (t) => {
  fc.assert(
    fc.property(hostileReport, (report) => {
      const written = reportSchema.parse(JSON.parse(textOf(jsonFormat, report, 'report.json')));
      t.deepEqual(
        written.rows.map(({ variant }) => variant),
        report.table.rows.map(({ variant }) => variant),
      );
      t.is(written.experiment, report.config.experiment);
      t.is(written.stages.length, report.stages.length);
    }),
    runs,
  );
});

test('the published schema of report.json is the one by which it is written', (t) => {
  const file = path.join(repository, 'docs/reference/report.schema.json');
  t.deepEqual(JSON.parse(fs.readFileSync(file, 'utf8')), reportJsonSchema(), 'node bin/docs.mjs');
});
