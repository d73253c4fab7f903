import fs from 'node:fs/promises';
import path from 'node:path';
import type { Change } from '../experiment/changes/change.ts';
import { besideName } from '../files/disposable.ts';
import { makeFolders } from '../files/make-folders.ts';
import { canonicalJson } from '../stage/canonical.ts';
import type { ReportFile } from '../stage/contract.ts';
import { PecoError } from '../stage/errors.ts';
import { historyFile } from '../stage/history.ts';
import type { Json } from '../stage/json.ts';
import type { Git } from './record/git.ts';
import {
  checkResultsFolder,
  configFile,
  nameFile,
  type ResultsRecord,
  readOwner,
  recordKind,
  resultsFile,
  timingFile,
} from './results-folder.ts';

/** Files that the framework adds to every entry; they say nothing in a results folder. */
const bookkeeping = new Set(['metrics.json', historyFile, 'per-image.json', 'resampled.json']);

/** What is written beside the tables of a report, and never into them: their bytes are a function of results alone. */
export interface ResultsInfo {
  readonly experiment: string;
  /** Absolute. */
  readonly file: string;
  /** Folder of the project. */
  readonly root: string;
  readonly changes: readonly Change[];
  /** The resolved experiment: `config.json`. */
  readonly config: Json;
  readonly command: readonly string[];
  readonly run: string | null;
  readonly version: string | null;
  /** Asked only if something is written. */
  git(): Promise<Git>;
}

/** What a report leaves in the results folder. */
export interface ReportOutputs {
  readonly dir: string;
  readonly outputs: readonly { readonly path: string }[];
  /** Files that are no outputs of its stage. */
  readonly pages?: readonly ReportFile[];
}

/**
 * Writes the outputs and the pages of a report, the resolved experiment (`config.json`) and how they were made (`run.json`) into the
 * results folder. A file that is already there with the same bytes is left alone, so that its time says when the table
 * last changed, and `run.json` stays as long as all do; any other of ours is replaced by one rename.
 *
 * @returns absolute paths of the files, those of the top folder first, otherwise by name
 * @throws PecoError `results-in-use`, before anything is written, for a file in the way that peco-exp didn't write
 */
export async function writeResults(
  report: ReportOutputs,
  folder: string,
  about: ResultsInfo,
): Promise<readonly string[]> {
  checkResultsFolder(folder, about.file);
  const tables = report.outputs.map(({ path: name }) => name).filter((name) => !bookkeeping.has(name));
  const pages = report.pages ?? [];
  const all = [...tables, ...pages.map(({ name }) => name)];
  const taken = all.find(
    (name, index) => [configFile, resultsFile, timingFile].includes(name) || all.indexOf(name) !== index,
  );
  if (taken !== undefined)
    throw new PecoError(`the report wrote ${taken}, which peco-exp writes itself`, {
      code: 'results-in-use',
    });
  const files: ReportFile[] = [{ name: configFile, content: formatConfig(about.config) }];
  for (const name of tables) files.push({ name, content: await fs.readFile(path.join(report.dir, name)) });
  files.push(...pages);
  const changed = await findChanged(files, folder);
  const owner = readOwner(folder);
  await refuseForeign(changed, folder, owner);
  const known = typeof owner === 'object' ? owner : undefined;
  if (changed.length > 0 || known === undefined) {
    const names = new Set([...(known?.files ?? []), ...files.map(({ name }) => name), timingFile]);
    // First, so that after a crash in between all that was written is known to be ours.
    const record = await describeRun(about, folder, [...names].sort());
    await writeIfDifferent(path.join(folder, resultsFile), `${JSON.stringify(record, null, 2)}\n`);
  }
  for (const { name, content } of files) await writeIfDifferent(path.join(folder, name), content);
  const written = [...files.map(({ name }) => name), resultsFile].map((name) => path.join(folder, name));
  return written.sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1));
}

/** Writes a file through a temporary one in the same folder, unless it already has these bytes. */
export async function writeIfDifferent(file: string, content: Uint8Array | string): Promise<void> {
  const bytes = Buffer.from(content);
  const present = await fs.readFile(file).catch(() => undefined);
  if (present?.equals(bytes)) return;
  await makeFolders(path.dirname(file));
  const temporary = `${besideName(path.join(path.dirname(file), `.${path.basename(file)}`))}.tmp`;
  try {
    await fs.writeFile(temporary, bytes);
    await fs.rename(temporary, file);
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw error;
  }
}

/** Sorted keys, a line for each field: equal experiments have equal bytes, and a diff shows the field. */
function formatConfig(config: Json): string {
  return `${JSON.stringify(JSON.parse(canonicalJson(config)), null, 2)}\n`;
}

async function findChanged(files: readonly ReportFile[], folder: string): Promise<ReportFile[]> {
  const changed: ReportFile[] = [];
  for (const file of files) {
    const present = await fs.readFile(path.join(folder, file.name)).catch(() => undefined);
    if (!present?.equals(Buffer.from(file.content))) changed.push(file);
  }
  return changed;
}

async function refuseForeign(
  changed: readonly ReportFile[],
  folder: string,
  owner: ReturnType<typeof readOwner>,
): Promise<void> {
  if (owner === 'earlier') return;
  const ours = new Set(typeof owner === 'object' ? owner.files : []);
  for (const { name } of changed) {
    const target = path.join(folder, name);
    const isThere = await fs.lstat(target).then(
      () => true,
      () => false,
    );
    if (!isThere || ours.has(name)) continue;
    throw new PecoError(`${target} is there, and peco-exp did not write it: nothing was changed`, {
      code: 'results-in-use',
    });
  }
}

async function describeRun(
  about: ResultsInfo,
  folder: string,
  files: readonly string[],
): Promise<ResultsRecord> {
  const { experiment, file, root, changes, command, run, version } = about;
  return {
    what: recordKind,
    format: 1,
    experiment,
    file: nameFile(file, folder, root),
    changes,
    command,
    run,
    date: new Date().toISOString(),
    git: await about.git(),
    version,
    files,
  };
}

function depth(file: string): number {
  return file.split(path.sep).length;
}
