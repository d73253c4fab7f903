import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { PagesFunction } from '../framework/stage/contract.ts';
import type { AblationTableConfig } from './config.ts';
import type { FullFormat } from './formats/contract.ts';
import { historyFormat } from './formats/history.ts';
import { readAssets } from './formats/html/assets.ts';
import { htmlFormat } from './formats/html/html.ts';
import { jsonFormat } from './formats/json.ts';
import { readReport, readStages } from './report.ts';
import type { InTable } from './results.ts';

/** What says how the results were made, too: no function of the results, so each run writes it and no store has it. */
async function formats(): Promise<readonly FullFormat[]> {
  return [historyFormat, jsonFormat, htmlFormat(await readAssets())];
}

/** The files of a report that lie beside its tables. */
export const pages: PagesFunction<AblationTableConfig & InTable> = async (context) => {
  const { config, inputs, dir, stages, command, version } = context;
  const report = {
    ...(await readReport(config, inputs)),
    pictures: await readPictures(dir),
    stages: await readStages(stages),
    command,
    version,
  };
  return (await formats()).flatMap((format) => format.files(report));
};

/** Those that `run` made, by name. */
async function readPictures(dir: string): Promise<ReadonlyMap<string, Buffer>> {
  const names = (await readdir(dir)).filter((name) => name.endsWith('.png')).sort();
  const files = names.map(async (name) => [name, await readFile(path.join(dir, name))] as const);
  return new Map(await Promise.all(files));
}
