import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { StageFunction } from '../framework/stage/contract.ts';
import type { AblationTableConfig } from './config.ts';
import { readFacts } from './facts.ts';
import { longCsv, wideCsv } from './formats/csv.ts';
import { ablationMarkdown } from './formats/markdown.ts';
import { comparePictures } from './pictures.ts';
import { type InTable, readResults, remarksOn } from './results.ts';
import { buildTable } from './table.ts';

/** Writes the tables and the pictures of an experiment from the results of its stages. */
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
  for (const [name, png] of await comparePictures(config, context.inputs)) await save(name, png);
  return {};
};
