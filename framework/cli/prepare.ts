import fs from 'node:fs';
import path from 'node:path';
import type { FlagAssignment } from '../experiment/changes/path.ts';
import { type LoadedExperiment, loadExperiment } from '../experiment/load.ts';
import { explainWriteError } from '../files/files.ts';
import { resolveGraph } from '../plan/graph.ts';
import { findStages } from '../plan/named.ts';
import { type Plan, type PlannedStage, planRun } from '../plan/plan.ts';
import type { StageGraph, StageNode } from '../plan/types.ts';
import { mayRun } from '../plan/types.ts';
import { upstreamStages } from '../plan/walk.ts';
import { checkResultsFolder, resultsFolderName } from '../run/results-folder.ts';
import { findProject, type Project, type ProjectFlags } from '../settings/project.ts';
import { isReport } from '../stage/roles.ts';
import { openStore, type Store, type StoreWarning } from '../store/store.ts';
import { checkPlaces } from './places.ts';
import { hashingOnStderr } from './progress/hashing.ts';

/** Flags of every command that takes an experiment file. */
export interface ExperimentFlags extends ProjectFlags {
  readonly set?: readonly string[];
  /** Set by commands with flags for fields, not by users. */
  readonly fields?: readonly FlagAssignment[];
  readonly sweep?: readonly string[];
  readonly tasks?: readonly string[];
  readonly seeds?: readonly number[];
  readonly smoke?: boolean;
  readonly upto?: readonly string[];
  readonly failFast?: boolean;
  /** With Slurm: until all jobs have ended. */
  readonly watch?: boolean;
  /** Folder for event files of TensorBoard. */
  readonly tensorboard?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
  /** Set by `run` and by commands that say what it would do, not by users: its tables must have a place. */
  readonly writesTables?: boolean;
  /** Set by commands that run stages, not by users: no collection may remove what the plan finds. */
  readonly willRun?: boolean;
}

/** An experiment, ready to run. */
export interface Prepared {
  readonly loaded: LoadedExperiment;
  readonly project: Project;
  readonly store: Store;
  readonly plan: Plan;
}

/** Loads and plans an experiment. Throws a PecoError, before anything ran, for whatever is wrong with it. */
export async function prepareExperiment(
  file: string,
  flags: ExperimentFlags,
  onWarning: (warning: StoreWarning) => void,
): Promise<Prepared> {
  const cwd = process.cwd();
  const { set = [], fields = [], sweep = [], seeds, tasks, smoke = false } = flags;
  const loaded = await loadExperiment(file, {
    set,
    fields,
    sweep,
    cwd,
    smoke,
    ...(seeds === undefined ? {} : { seeds }),
    ...(tasks === undefined ? {} : { tasks }),
    // What only says what would be needs no data.
    goOn: !flags.willRun,
  });
  const project = await findProject(loaded.file, { flags, env: process.env, cwd });
  const graph = narrowGraph(resolveGraph(loaded.experiment, loaded.changes), flags.upto ?? []);
  const results = resultsOf(graph, project);
  await checkPlaces(loaded, project, { results, events: flags.tensorboard });
  if (flags.writesTables && results !== undefined) checkResultsFolder(results, loaded.file);
  const hashing = hashingOnStderr();
  const store = openStore(project.store, { onWarning, onHashing: hashing.show });
  if (flags.willRun) await store.enter(); // until the process ends
  const plan = await planRun(graph, { store, root: project.root }).finally(hashing.end);
  // Where all is stored, a store that can only be read will do.
  if (flags.willRun && plan.stages.some(mayRun)) checkWritable(project.store);
  return { loaded, project, store, plan };
}

/** @throws PecoError `store-write` where results can't be stored, as far as can be seen without a try */
function checkWritable(store: string): void {
  let folder = store;
  while (!fs.existsSync(folder) && path.dirname(folder) !== folder) folder = path.dirname(folder);
  try {
    fs.accessSync(folder, fs.constants.W_OK);
  } catch (error) {
    throw explainWriteError(error, store);
  }
}

/** Where the tables go; undefined if none are made. */
function resultsOf({ experiment, changes, stages }: StageGraph, { results }: Project): string | undefined {
  if (!stages.some(({ component }) => isReport(component))) return undefined;
  return path.join(results, resultsFolderName(experiment, changes));
}

/** The stages that these names mean and everything above them; all stages if there are none. */
function narrowGraph(graph: StageGraph, names: readonly string[]): StageGraph {
  if (names.length === 0) return graph;
  const kept = new Set<StageNode>();
  const keep = (node: StageNode): void => {
    if (kept.has(node)) return;
    kept.add(node);
    for (const upstream of upstreamStages(node)) keep(upstream);
  };
  for (const name of names) for (const node of findStages(graph, name)) keep(node);
  const stages = graph.stages.filter((node) => kept.has(node));
  return { ...graph, stages, cells: graph.cells.filter((cell) => kept.has(cell.stage)) };
}

/** The stages that a name means. @throws PecoError `unknown-stage` with near names */
export function findPlanned(plan: Plan, name: string): readonly PlannedStage[] {
  const nodes = new Set(findStages(plan.graph, name));
  return plan.stages.filter(({ node }) => nodes.has(node));
}

const warned = new Set<string>();

/** For commands whose answer is their stdout. Each warning once, also where several files share a store. */
export function warnOnStderr({ message }: Pick<StoreWarning, 'message'>): void {
  if (warned.has(message)) return;
  warned.add(message);
  process.stderr.write(`warning: ${message}\n`);
}
