import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { StageFunction } from '../framework/stage/contract.ts';
import type { AblationTableConfig } from './config.ts';
import type { Format } from './formats/contract.ts';
import { csvFormat } from './formats/csv.ts';
import { latexFormat } from './formats/latex.ts';
import { markdownFormat } from './formats/markdown.ts';
import { pictureFormat } from './formats/picture.ts';
import { comparePictures } from './pictures.ts';
import { readReport } from './report.ts';
import type { InTable } from './results.ts';

/** What is a function of the results alone; it is stored under the key that these make. */
const formats: readonly Format[] = [csvFormat, markdownFormat, latexFormat, pictureFormat];

/** Writes the tables and the pictures of an experiment from the results of its stages. */
export const run: StageFunction<AblationTableConfig & InTable> = async ({ config, inputs, outDir }) => {
  const read = await readReport(config, inputs);
  const rows = read.table.rows.map(({ variant }) => variant);
  const report = { ...read, pictures: await comparePictures(config.table, inputs, rows) };
  for (const format of formats) {
    for (const { name, content } of format.files(report)) await writeFile(path.join(outDir, name), content);
  }
  return {};
};
