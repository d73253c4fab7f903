import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import type { FullFormat } from '../../../reports/formats/contract.ts';
import { csvFormat } from '../../../reports/formats/csv.ts';
import { historyFormat } from '../../../reports/formats/history.ts';
import { htmlFormat } from '../../../reports/formats/html/html.ts';
import { data } from '../../../reports/formats/html/markup.ts';
import { jsonFormat } from '../../../reports/formats/json.ts';
import { reportJsonSchema, reportSchema } from '../../../reports/formats/json-schema.ts';
import { latexFormat } from '../../../reports/formats/latex.ts';
import { markdownFormat } from '../../../reports/formats/markdown.ts';
import { pictureFormat } from '../../../reports/formats/picture.ts';
import type { FullReport } from '../../../reports/report.ts';
import { parseCsv, unguarded } from '../../support/csv.ts';
import { repository } from '../../support/project.ts';
import { hostileReport, reportNamed } from './support.ts';

const formats: readonly FullFormat[] = [
  csvFormat,
  markdownFormat,
  latexFormat,
  pictureFormat,
  historyFormat,
  jsonFormat,
  htmlFormat({ script: 'show();', style: 'p { color: red }' }),
];

const runs = { numRuns: 40 };

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
      t.is(history.length, 1 + 3 * report.stages.length);
      const all = [...wide, ...history, ...parseCsv(textOf(csvFormat, report, 'results.csv'))];
      for (const record of all) for (const field of record) t.notRegex(field, /^[=+@\t\r]|^-(?!\d)/);
      t.true(columns.length > 0);
    }),
    runs,
  );
});

test('CSV: what a stage does not log is empty, also where every object has something of that name', (t) => {
  for (const text of ['__proto__', 'constructor']) {
    const history = parseCsv(
      textOf(historyFormat, reportNamed({ variants: ['a', 'b'], task: 'p', text }), 'history.csv'),
    );
    t.deepEqual(
      history.slice(0, 4).map((record) => record.slice(3)),
      [
        ['step', 'loss', text, 'changed'],
        ['1', '2', '1', text],
        ['2', 'NaN', '', text],
        ['3', '1', '2', text],
      ],
    );
  }
});

test('markdown: a line a row, as many cells as columns, and no tag', (t) => {
  fc.assert(
    fc.property(hostileReport, (report) => {
      const lines = textOf(markdownFormat, report, 'ablation.md').split('\n');
      const table = lines.filter((line) => line.startsWith('|'));
      // Two of papers, and what they are.
      t.is(table.length, 2 + report.table.rows.length + 3);
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
      const rows = lines.slice(from + 1, to).filter((line) => line !== '\\midrule');
      t.is(rows.length, report.table.rows.length + 2);
      for (const line of rows) {
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
  'textbackslash textasciitilde textasciicircum textless textgreater textbar textquotedbl textasciigrave texttt textbf footnotesize pm infty uparrow downarrow { } # $ % & _'.split(
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

test('HTML: the tags and attributes of a page depend on no name, and its data is given back', (t) => {
  const [html] = formats.slice(-1);
  const plain = (many: number) =>
    reportNamed({ variants: ['a', 'b', 'c', 'd'].slice(0, many), task: 'task', text: 'text' });
  fc.assert(
    fc.property(hostileReport, (report) => {
      // What is called as something else of the same stage changes what there is to show.
      const { experiment, variants, cells } = report.config;
      const reserved = ['', 'step', 'loss', 'top1', 'tokenizer'];
      fc.pre(![experiment, ...variants, cells[0].task].some((name) => reserved.includes(name)));
      const page = textOf(html, report, 'report.html');
      t.deepEqual(tagsOf(page), tagsOf(textOf(html, plain(report.table.rows.length), 'report.html')));
      t.false(/[\p{Cc}\p{Bidi_Control}]/u.test(page.replaceAll('\n', '')));
      t.is(page.match(/<script/g)?.length, 2);
      const [, json] = /<script type="application\/json" id="charts">(.*?)<\/script>/.exec(page)!;
      t.is(data(JSON.parse(json)), json);
    }),
    runs,
  );
});

/** Each tag with the names of its attributes, as a tokenizer of HTML reads them. */
function tagsOf(page: string): readonly string[] {
  return [...page.matchAll(/<(\/?[a-z][a-z0-9]*)((?:\s+[a-zA-Z-]+(?:="[^"]*")?)*)\s*\/?>/g)].map(
    ([, tag, attributes]) => `${tag} ${attributes.replaceAll(/="[^"]*"/g, '')}`,
  );
}

test('HTML: nothing but a page’s own script and style may act, and nothing is asked for', (t) => {
  const page = textOf(
    formats.at(-1)!,
    reportNamed({ variants: ['a', 'b'], task: 'task', text: 'text' }),
    'report.html',
  );
  // By `printf 'show();' | openssl dgst -sha256 -binary | base64`.
  t.true(page.includes("script-src 'sha256-MoazW24H3iXZDVgLJvwY6Gag+BKUVIs8noyPgvE85mQ='"));
  t.true(page.includes("default-src 'none'"));
  t.notRegex(page, /\s(src|href)="(?!#|data:)/);
  t.notRegex(page, /\sstyle=|\son[a-z]+=/);
});

test('HTML: stages that jobs of Slurm made name these', (t) => {
  const report = reportNamed({ variants: ['a', 'b'], task: 'task', text: 'n1' });
  const page = textOf(formats.at(-1)!, report, 'report.html');
  const made = report.stages.filter(({ result }) => result).length;
  t.regex(
    page,
    new RegExp(`<dt>Jobs of Slurm</dt><dd>.*12 \\(${made} stages\\), on n1, partition main.*</dd>`),
  );
});
