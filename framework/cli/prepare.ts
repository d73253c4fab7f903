import { type LoadedExperiment, loadExperiment } from '../experiment/load.ts';
import { findStage, resolveGraph } from '../plan/graph.ts';
import { type Plan, type PlannedStage, planRun } from '../plan/plan.ts';
import type { StageGraph, StageNode } from '../plan/types.ts';
import { awaitedStages } from '../plan/upstream.ts';
import { openStore, type Store, type StoreWarning } from '../store/store.ts';
import { findProject, type Project, type ProjectFlags } from './project.ts';

/** Flags of every command that takes an experiment file. */
export interface ExperimentFlags extends ProjectFlags {
  readonly set?: readonly string[];
  readonly sweep?: readonly string[];
  readonly seeds?: readonly number[];
  readonly upto?: readonly string[];
  readonly failFast?: boolean;
  readonly json?: boolean;
  readonly verbose?: boolean;
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
  const { set = [], sweep = [], seeds } = flags;
  const loaded = await loadExperiment(file, { set, sweep, cwd, ...(seeds === undefined ? {} : { seeds }) });
  const project = await findProject(loaded.file, { flags, env: process.env, cwd });
  const store = openStore(project.store, { onWarning });
  if (flags.willRun) await store.enter(); // until the process ends
  const graph = narrowGraph(resolveGraph(loaded.experiment), flags.upto ?? []);
  const plan = await planRun(graph, { store, root: project.root });
  return { loaded, project, store, plan };
}

/** The stages with these ids and everything above them; all stages if there are none. */
function narrowGraph(graph: StageGraph, ids: readonly string[]): StageGraph {
  if (ids.length === 0) return graph;
  const kept = new Set<StageNode>();
  const keep = (node: StageNode): void => {
    if (kept.has(node)) return;
    kept.add(node);
    for (const upstream of awaitedStages(node)) keep(upstream);
  };
  for (const id of ids) keep(findStage(graph, id));
  const stages = graph.stages.filter((node) => kept.has(node));
  return { ...graph, stages, cells: graph.cells.filter((cell) => kept.has(cell.stage)) };
}

/** The stage with an id. @throws PecoError `unknown-stage` with near ids */
export function findPlanned(plan: Plan, id: string): PlannedStage {
  const node = findStage(plan.graph, id);
  return plan.stages.find((planned) => planned.node === node)!;
}

const warned = new Set<string>();

/** For commands that only tell: what they print to stdout is the answer. Once, also where several files have one store. */
export function warnOnStderr({ message }: StoreWarning): void {
  if (warned.has(message)) return;
  warned.add(message);
  process.stderr.write(`warning: ${message}\n`);
}
