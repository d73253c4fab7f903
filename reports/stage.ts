import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { StageFunction, StageInput } from '../framework/stage/contract.ts';
import type { AblationTableConfig } from './config.ts';
import { readFacts } from './facts.ts';
import { longCsv, wideCsv } from './formats/csv.ts';
import { ablationMarkdown } from './formats/markdown.ts';
import { type PictureRow, stackRows } from './formats/picture.ts';
import { type InTable, readResults, remarksOn, type TableConfig } from './results.ts';
import { buildTable } from './table.ts';

/** Writes the tables and the picture of an experiment from the results of its stages. */
export const run: StageFunction<AblationTableConfig & InTable> = async (context) => {
  const { columns, published, table: config } = context.config;
  const results = await readResults(config, context.inputs);
  const table = buildTable(config, results, columns);
  const save = (name: string, content: string | Buffer) =>
    writeFile(path.join(context.outDir, name), content);
  await save('ablation.csv', wideCsv(table, remarksOn(config)));
  await save('results.csv', longCsv(results, remarksOn(config)));
  const facts = await readFacts(config, results, context.inputs);
  await save(
    'ablation.md',
    ablationMarkdown({ config, table, facts, published: published && !config.smoke }),
  );
  const rows = await pictureRows(config, context.inputs);
  if (rows.length > 0) await save('reconstructions.png', stackRows(rows));
  return {};
};

/** Originals first, then what each row's tokenizer makes of them, that of the first seed that has pictures. */
async function pictureRows(
  { cells }: TableConfig,
  inputs: { readonly [name: string]: StageInput },
): Promise<PictureRow[]> {
  const evaluations = cells.filter(({ task }) => task === 'tokenizer');
  const read = (input: string, name: string) =>
    readFile(path.join(inputs[input].dir, name)).catch(() => undefined);
  const rows: PictureRow[] = [];
  const shown = new Set<string>();
  for (const { variant, input } of evaluations) {
    if (shown.has(variant)) continue;
    const originals = await read(input, 'originals.png');
    const reconstructions = await read(input, 'reconstructions.png');
    if (!originals || !reconstructions) continue;
    shown.add(variant);
    if (rows.length === 0) rows.push({ label: 'original', png: originals });
    rows.push({ label: variant, png: reconstructions });
  }
  return rows;
}
