import fs from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FlagAssignment } from '../../experiment/changes/path.ts';
import { explainMakeError, findObstacle } from '../../files/make-folders.ts';
import type { Plan } from '../../plan/plan.ts';
import { localExecutor } from '../../run/executors/local.ts';
import { endsOf, type RebuiltReport, rebuildReport } from '../../run/rebuild.ts';
import { readGit } from '../../run/record/git.ts';
import { resultsFolderName } from '../../run/results-folder.ts';
import { writeTensorBoard } from '../../run/tensorboard.ts';
import { writeTables } from '../../run/write-tables.ts';
import { PecoError } from '../../stage/errors.ts';
import type { Json } from '../../stage/json.ts';
import { reportField } from '../../stage/roles.ts';
import { codeOf } from '../bundles.ts';
import { commandOf, describeResolved } from '../described.ts';
import { showing } from '../flags.ts';
import { listenForInterrupts } from '../interrupts.ts';
import { type ExperimentFlags, type Prepared, prepareExperiment, warnOnStderr } from '../prepare.ts';
import { outputLook, printLines } from '../print.ts';
import { formatPath } from '../text/format.ts';
import { showMarkdown } from '../text/markdown.ts';
import { formatRebuilt, type Rebuilt } from '../text/report.ts';
import { formatOverrides, formatSmoke } from '../text/text.ts';

/** Flags of `peco-exp report`: those of `showing` change `show` of the report's config, as `--set` would. */
export interface ReportFlags extends ExperimentFlags {
  /** Folder for event files. */
  readonly tensorboard?: string;
  readonly columns?: readonly string[];
  readonly rows?: readonly string[];
  readonly precision?: number;
  readonly sort?: string;
}

/**
 * `peco-exp report FILE`: writes the tables of an experiment from what is stored. Runs no stage but the report's own, and
 * leaves the store as it is; cells without a result are named as missing.
 */
export async function reportCommand(file: string, flags: ReportFlags, version: string): Promise<number> {
  checkEventsFolder(flags.tensorboard);
  const prepared = await prepareExperiment(
    file,
    { ...flags, fields: fieldsOf(flags), writesTables: true },
    warnOnStderr,
  );
  const { loaded, project, store, plan } = prepared;
  const interrupts = listenForInterrupts();
  interrupts.begin(() => {});
  const options = {
    ...{ store, root: project.root, stop: interrupts.stop, kill: interrupts.kill },
    executor: localExecutor(fileURLToPath(new URL('./worker.js', import.meta.url)), {
      sourceMaps: flags.verbose ?? false,
      root: project.root,
      cwd: process.cwd(),
    }),
    onWarning: (message: string) => warnOnStderr({ message }),
  };
  try {
    const tables = await rebuildReport(plan, options, (report) => write(report, prepared, version));
    const events = flags.tensorboard === undefined ? {} : await writeEvents(flags.tensorboard, plan);
    const rebuilt = { ...tables, ...events };
    if (flags.json) process.stdout.write(`${JSON.stringify(rebuilt)}\n`);
    else {
      const head = [...formatSmoke(loaded.smoke), ...formatOverrides(loaded.overrides)];
      const table = rebuilt.files.find((name) => name.endsWith('.md'));
      const look = outputLook();
      const shown = table === undefined ? [] : ['', showMarkdown(await fs.readFile(table, 'utf8'), look)];
      const lines = [...head, ...shown, ...formatRebuilt(rebuilt, formatPath, look)];
      printLines(lines, look);
    }
    return 0;
  } catch (error) {
    if (interrupts.stop.aborted) return 130;
    throw error;
  } finally {
    interrupts.end();
  }
}

/** @throws PecoError `invalid-settings` where no folder can be made */
function checkEventsFolder(folder: string | undefined): void {
  const obstacle = folder === undefined ? undefined : findObstacle(folder);
  if (obstacle !== undefined)
    throw noPlaceFor('event files', { folder: folder!, obstacle, flag: 'tensorboard' });
}

/** A folder that a user named and that can't be written. */
function noPlaceFor(
  what: string,
  { folder, obstacle, flag }: { folder: string; obstacle: string; flag: string },
): PecoError {
  return new PecoError(`${what} can't be written to ${folder}: ${obstacle}`, {
    code: 'invalid-settings',
    hint: `choose another folder with --${flag}`,
  });
}

/** What a folder can't be is not always seen before: its error in words, with the flag that names another. */
async function writingTo<T>(
  what: string,
  place: { folder: string; flag: string },
  work: Promise<T>,
): Promise<T> {
  return work.catch((error: unknown) => {
    const obstacle = explainMakeError(error);
    throw obstacle === undefined ? error : noPlaceFor(what, { ...place, obstacle });
  });
}

/** Below the folder in one of the experiment's own, as its tables have it. */
async function writeEvents(folder: string, plan: Plan): Promise<Pick<Rebuilt, 'tensorboard'>> {
  const { experiment, changes } = plan.graph;
  const dir = path.resolve(folder, resultsFolderName(experiment, changes));
  const writing = writeTensorBoard(dir, plan.stages);
  const files = await writingTo('event files', { folder, flag: 'tensorboard' }, writing);
  return { tensorboard: { dir, files: files.length } };
}

/** What to set in the config of the report. */
function fieldsOf(flags: ReportFlags): FlagAssignment[] {
  return showing.flatMap((flag) => {
    const value = flags[flag];
    return value === undefined ? [] : [{ flag, path: [reportField(), 'show', flag], value: value as Json }];
  });
}

/** Writes the results folder. */
async function write(
  { node, dir, outputs, provenance }: RebuiltReport,
  prepared: Prepared,
  version: string,
): Promise<Rebuilt> {
  const { loaded, project, plan } = prepared;
  const { root, results } = project;
  const timings = plan.stages.flatMap(({ node: one, entry }) => {
    if (!entry) return [];
    const { id, component, seed } = one;
    return [{ stage: id, kind: component.kind, seed, provenance: entry.provenance, reused: true }];
  });
  const writing = writeTables(
    { node, dir, outputs, timings, endOf: endsOf(plan) },
    {
      ...{ graph: plan.graph, results, root, version, file: loaded.file },
      command: commandOf(root),
      config: describeResolved(prepared),
      run: typeof provenance?.run === 'string' ? provenance.run : null,
      onWarning: (message) => warnOnStderr({ message }),
      git: async () => readGit(root, await codeOf(prepared)),
    },
  );
  const files = await writingTo('the results', { folder: results, flag: 'out' }, writing);
  const { cells, missing } = node.component.config.table as unknown as Table;
  return { experiment: plan.graph.experiment, cells: cells.length, missing, files };
}

type Table = { readonly cells: readonly unknown[]; readonly missing: Rebuilt['missing'] };
