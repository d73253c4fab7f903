import path from 'node:path';
import { type Change, describeChange } from '../experiment/changes/change.ts';
import type { StageGraph, StageNode } from '../plan/types.ts';
import { formatError } from '../stage/errors.ts';
import { reportField } from '../stage/roles.ts';
import { makePages, type StageEnd } from './pages.ts';
import { formatTimings, type Timing } from './record/timing.ts';
import { resultsFolderName, timingFile } from './results-folder.ts';
import { type ResultsInfo, writeIfDifferent, writeResults } from './write-results.ts';

/** A report that is to be written, and what is known of its stages. */
export interface FinishedReport {
  /** The report stage with the cells that it has. */
  readonly node: StageNode;
  /** Folder of its outputs. */
  readonly dir: string;
  readonly outputs: readonly { readonly path: string }[];
  /** Of every stage that has a result. */
  readonly timings: readonly Timing[];
  endOf(stage: StageNode): StageEnd;
}

export interface TablesOptions extends Omit<ResultsInfo, 'changes' | 'experiment'> {
  readonly graph: StageGraph;
  /** Where the folders of results are. */
  readonly results: string;
  onWarning(message: string): void;
}

/**
 * Writes all files of an experiment's results folder: those of the report, its pages, and beside them `config.json`,
 * `run.json` and `timing.csv`. Pages that can't be made are warned of and left out: they are no results.
 *
 * @returns their absolute paths, the report's first
 * @throws PecoError `results-in-use`; the error of a write that failed
 */
export async function writeTables(
  report: FinishedReport,
  options: TablesOptions,
): Promise<readonly string[]> {
  const { graph, results, onWarning, ...about } = options;
  const { root, file, version } = about;
  const { experiment, changes } = graph;
  const folder = path.join(results, resultsFolderName(experiment, changes));
  const local = path.relative(root, file).split(path.sep).join('/');
  const pages = await makePages(report.node, report.dir, {
    ...{ graph, root, file: local, version },
    endOf: (stage) => report.endOf(stage),
  }).catch((error: unknown) => {
    onWarning(`the pages of the report could not be made: ${formatError(error)}`);
    return [];
  });
  const written = await writeResults({ ...report, pages }, folder, { ...about, experiment, changes });
  const timing = path.join(folder, timingFile);
  await writeIfDifferent(
    timing,
    await formatTimings(report.timings, changes.filter(isOfStages).map(describeChange)),
  );
  return [...written, timing];
}

/** Whether a change may change what stages but the report do. */
function isOfStages({ path: field }: Change): boolean {
  return field.split('.')[0] !== reportField();
}
