import fc from 'fast-check';
import { PNG } from 'pngjs';
import type { JsonObject } from '../../../framework/stage/json.ts';
import { publishedResults } from '../../../reports/published.ts';
import type { FullReport } from '../../../reports/report.ts';
import type { TableConfig } from '../../../reports/results.ts';
import { buildTable } from '../../../reports/table.ts';
import { cell, columns, tableOf } from '../support.ts';

/** Names that some reader takes for more than text. */
const known = [
  '=cmd|"/c calc"!A1',
  '+1',
  '-ema',
  '@SUM(1)',
  '<script>alert(1)</script>',
  '</script><img src=x onerror=alert(1)>',
  '<!--',
  ']]>',
  "' onload='x",
  '&lt;b&gt;',
  'a|b||c',
  'one\ntwo\r\nthree\u2028four',
  '\t tab ',
  '\\input{/etc/passwd}',
  '[5pt]*\\\\&%$#_{}~^',
  '](javascript:alert(1))',
  '**bold** `code` $x$',
  '😀👩‍👩‍👧',
  'שלום עולם',
  '\u202egnp.exe',
  '\ud800 half',
  '\u0000\u001b[31mred',
  'x'.repeat(300),
  '__proto__',
  'constructor',
  '',
];

export const hostileName: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...known),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.stringMatching(/^[<>&"'|\\{}[\]$%#_~^=+@\-*`\n\r ]{1,20}$/),
);

const picture = PNG.sync.write(new PNG({ width: 25, height: 17 }));

/** A finished report whose names are these; numbers are given. */
export function reportNamed(names: {
  readonly variants: readonly string[];
  readonly task: string;
  readonly text: string;
}): FullReport {
  const { variants, task, text } = names;
  const cells = variants.flatMap((variant, row) =>
    [0, 1].map((seed) => cell(variant, seed, { top1: 0.5 + row / 10 + seed / 100, [text]: 2 }, task)),
  );
  const config: TableConfig = tableOf(cells, {
    experiment: text,
    changes: [text],
    missing: [{ variant: variants[0], task, seed: 2, reason: text }],
  });
  const labelled = [{ ...columns[0], label: text.trim() === '' ? 'x' : text }];
  const provenance: JsonObject = {
    seconds: 12.5,
    images: 3200,
    engine: 'onnx',
    engineDescription: text,
    threads: 2,
    run: '20261126-120000-test-00ff',
    started: '2026-11-26T12:00:00.000Z',
    git: { commit: 'c'.repeat(40), dirty: false },
    host: { cpu: text, cores: 2, node: 'v20' },
    slurm: { job: '12', task: '12_3', node: text, partition: 'main', cluster: null },
  };
  return {
    config,
    shown: [text],
    results: cells,
    table: buildTable(config, cells, labelled),
    warnings: [{ variants: [variants[0]], text }],
    facts: [text],
    published: {
      rows: publishedResults.slice(1, 3).map(({ method, epochs, numbers }) => {
        return { method, epochs, cells: [numbers['fine-tune']] };
      }),
      differences: [
        {
          ...{ variant: variants[1], baseline: variants[0], methods: ['PeCo', 'BEiT'], column: 0 },
          ...{ here: 0.1, papers: [{ epochs: 800, difference: 0.013 }] },
        },
      ],
    },
    pictures: new Map([[`reconstructions-${text.replaceAll(/[^a-z]/g, '')}.png`, Buffer.from('png')]]),
    command: ['run', text],
    version: '1.2.3',
    stages: variants.flatMap((variant, row) =>
      [0, 1].map((seed) => ({
        id: `tokenizer/${variant}/seed-${seed}`,
        role: 'tokenizer',
        kind: text,
        seed,
        config: { [text]: text },
        needs: row > 0 ? [`tokenizer/${variants[0]}/seed-${seed}`] : [],
        cells: [{ variant, task }],
        ...(row === 1
          ? { missing: text }
          : {
              result: { key: `${row}${seed}ab12`.padEnd(64, '0'), dir: '', provenance },
              codebook: { images: 1000, counts: [0, 60, 40, 0], shown: [1, 2], patch: 7, gap: 1, picture },
              masks: picture,
            }),
        history: [
          { step: 1, loss: 2 + seed, [text]: 1 },
          { step: 2, loss: 'NaN' },
          { step: 3, loss: 1 + seed, [text]: 2 },
        ],
      })),
    ),
  };
}

/** Reports of two to four rows with hostile names. */
export const hostileReport: fc.Arbitrary<FullReport> = fc
  .record({
    variants: fc.uniqueArray(hostileName, { minLength: 2, maxLength: 4 }),
    task: hostileName,
    text: hostileName,
  })
  .map(reportNamed);
