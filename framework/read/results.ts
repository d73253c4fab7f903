import path from 'node:path';
import { fieldProblems } from '../experiment/check.ts';
import { loadExperiment } from '../experiment/load.ts';
import { explainUnset, missingFiles } from '../experiment/missing.ts';
import { declare } from '../experiment/read.ts';
import { reportProblems } from '../experiment/report.ts';
import type { Experiment } from '../experiment/types.ts';
import { readMetrics } from '../plan/compare.ts';
import { resolveGraph } from '../plan/graph.ts';
import { planRun } from '../plan/plan.ts';
import { findProjectFolder, folderSetting, loadSettings } from '../settings/settings.ts';
import { PecoError } from '../stage/errors.ts';
import { readHistory } from '../stage/history.ts';
import { suggest } from '../stage/issues.ts';
import type { JsonObject } from '../stage/json.ts';
import { own } from '../stage/own.ts';
import { statAt } from '../stage/stat.ts';
import { openStore } from '../store/store.ts';
import type { Entry } from '../store/types.ts';
import type { MetricsOf, TaskOf, VariantOf } from './names.ts';

export interface ReadOptions {
  /** Folder that files are relative to, and whose project it is. Default: the current one. */
  readonly cwd?: string;
  /** Relative to `cwd`. Default: `PECO_STORE`, else as the settings of the project say, else `.peco` in it. */
  readonly store?: string;
  /** As on the command line; for experiments that are given as files. */
  readonly set?: readonly string[];
  readonly seeds?: readonly number[];
}

/** The numbers of a variant, a task and a seed. */
export interface ResultCell<
  Variant extends string = string,
  Task extends string = string,
  Metric extends string = string,
> {
  readonly variant: Variant;
  /** `tokenizer` for the measures of tokenizers, else a downstream task. */
  readonly task: Task;
  readonly seed: number;
  /** Id of the stage that has them. */
  readonly stage: string;
  /** Final metrics by name; undefined if the stage has no result yet, or is dropped by a halved sweep. */
  readonly metrics: MetricValues<Metric> | undefined;
  /** What the stage logged, one object a line, oldest first. */
  history(): readonly JsonObject[];
  /** Absolute paths of its outputs, by name. Read only. */
  readonly files: { readonly [name: string]: string };
  /** Engine, host, threads, times, commit, ...: how it was made. */
  readonly provenance: JsonObject | undefined;
}

/** Which of the names there are depends on the config: `top5` only of more than five classes. */
export type MetricValues<Metric extends string> = string extends Metric
  ? { readonly [metric: string]: number }
  : { readonly [Name in Metric]?: number };

/** Names of metrics by task. */
type ByTask<Task extends string> = { readonly [T in Task]: string };

/** `Metrics`: names of metrics by task, as far as their components say them. */
export interface Results<
  Variant extends string = string,
  Task extends string = string,
  Metrics extends ByTask<Task> = ByTask<Task>,
> {
  readonly experiment: string;
  readonly baseline: string;
  readonly variants: readonly Variant[];
  /** Every cell of the table, results or not. `cell.task === 'probe'` tells the compiler which metrics it may have. */
  readonly cells: readonly { [T in Task]: ResultCell<Variant, T, Metrics[T]> }[Task][];
  /**
   * Values of a metric over the seeds that have a result, in the order of the seeds; none if nothing ran yet.
   *
   * @throws PecoError `unknown-name` with near names, for a variant or a task that the experiment doesn't have, and for a
   *   metric that no result of the task has
   */
  values<T extends Task>(variant: Variant, task: T, metric: Metrics[T]): readonly number[];
}

/**
 * Reads the results of an experiment from the store, for notebooks and scripts; runs nothing. Given the experiment
 * itself, the compiler knows names of variants, tasks and, as far as their components offer them, metrics:
 *
 * ```ts
 * import { readResults } from 'peco-exp/results';
 * import quickstart from './experiments/quickstart.ts';
 * const results = await readResults(quickstart);
 * results.values('peco', 'probe', 'top1'); // [0.672, 0.673]
 * ```
 *
 * @param experiment an experiment, or the path of an experiment file
 * @throws PecoError if the experiment is not valid; `missing-store` if the folder of the option `store` isn't there;
 *   `not-a-store` if it has other things in it
 */
export async function readResults<E extends Experiment>(
  experiment: E | string,
  options: ReadOptions = {},
): Promise<Results<VariantOf<E>, TaskOf<E>, MetricsOf<E>>> {
  const cwd = path.resolve(options.cwd ?? process.cwd());
  const valid = await validExperiment(experiment, { ...options, cwd });
  const folder = typeof experiment === 'string' ? path.dirname(path.resolve(cwd, experiment)) : cwd;
  const root = findProjectFolder(folder) ?? cwd;
  const loaded = await loadSettings(root);
  const given = { value: options.store, from: 'the option `store`' };
  const place = folderSetting('store', given, { root, loaded, env: process.env, cwd });
  if (options.store !== undefined) checkFolder(place.value);
  const store = openStore(place.value, { from: place.from });
  const plan = await planRun(resolveGraph(valid), { store, root });
  const entries = new Map(plan.stages.map(({ node, entry }) => [node, entry]));
  const cells = plan.graph.cells.map(({ variant, task, seed, stage }) =>
    describeCell({ variant, task, seed, stage: stage.id }, entries.get(stage)),
  );
  const results: Results = {
    experiment: plan.graph.experiment,
    baseline: plan.graph.baseline,
    variants: plan.graph.variants,
    cells,
    values: (variant, task, metric) => {
      const ofTask = cells.filter((cell) => cell.task === task);
      checkName('variant', variant, plan.graph.variants);
      checkName('task', task, [...new Set(cells.map((cell) => cell.task))]);
      const measured = ofTask.map(({ metrics }) => metrics).filter((metrics) => metrics !== undefined);
      const names = [...new Set(measured.flatMap((metrics) => Object.keys(metrics)))].sort();
      if (measured.length > 0) checkName('metric', metric, names, ` in the results of ${task}`);
      return ofTask
        .filter((cell) => cell.variant === variant)
        .flatMap(({ metrics }) => own(metrics, metric) ?? []);
    },
  };
  // The names are those of the experiment.
  return results as unknown as Results<VariantOf<E>, TaskOf<E>, MetricsOf<E>>;
}

/** A typo must not look like a result that is still to come. */
function checkName(what: string, name: string, names: readonly string[], where = ''): void {
  if (names.includes(name)) return;
  const hint = suggest(name, names);
  throw new PecoError(`there is no ${what} "${name}"${where}`, {
    code: 'unknown-name',
    ...(hint === undefined ? {} : { hint }),
  });
}

function checkFolder(store: string): void {
  if (statAt(store)?.isDirectory()) return;
  throw new PecoError(`there is no store in ${store}`, {
    code: 'missing-store',
    hint: 'the option `store` is relative to `cwd`; without it the store of the project is taken',
  });
}

async function validExperiment(
  experiment: Experiment | string,
  options: ReadOptions & { readonly cwd: string },
): Promise<Experiment> {
  if (typeof experiment === 'string') {
    const { cwd, set = [], seeds } = options;
    return (await loadExperiment(experiment, { cwd, set, ...(seeds ? { seeds } : {}) })).experiment;
  }
  const declared = declare(experiment);
  const problems = explainUnset(declared, [...fieldProblems(declared), ...missingFiles(experiment)]);
  if (problems.length === 0) return experiment;
  throw await reportProblems(problems, { file: '', shown: experiment.name, cwd: options.cwd });
}

function describeCell(
  place: { readonly variant: string; readonly task: string; readonly seed: number; readonly stage: string },
  entry: Entry | undefined,
): ResultCell {
  if (!entry) return { ...place, metrics: undefined, history: () => [], files: {}, provenance: undefined };
  return {
    ...place,
    metrics: readMetrics(entry),
    history: () => readHistory(entry.dir),
    files: Object.fromEntries(entry.outputs.map(({ path: name }) => [name, path.join(entry.dir, name)])),
    provenance: entry.provenance,
  };
}
