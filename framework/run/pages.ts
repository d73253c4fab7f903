import { pathToFileURL } from 'node:url';
import { bundleImplementation } from '../code/code.ts';
import type { Change } from '../experiment/changes/change.ts';
import type { StageGraph, StageNode } from '../plan/types.ts';
import { upstreamStages } from '../plan/walk.ts';
import type { PagesFunction, ReportFile, StageRecord } from '../stage/contract.ts';
import type { Json } from '../stage/json.ts';
import { isReport } from '../stage/roles.ts';
import type { Entry } from '../store/types.ts';
import { describeInputs } from './job.ts';
import { openInputs } from './worker/inputs.ts';

/** How a stage ended: with a result, or without, and why. */
export type StageEnd =
  | { readonly entry: Pick<Entry, 'dir' | 'key' | 'provenance'> }
  | { readonly missing: string; readonly dropped?: boolean };

export interface PagesOptions {
  readonly graph: StageGraph;
  /** Folder of the project. */
  readonly root: string;
  /** The experiment's file, relative to the project's folder. */
  readonly file: string;
  readonly version: string | null;
  endOf(stage: StageNode): StageEnd;
}

/**
 * The files that a report writes beside its result, in this process; none if its component has no `pages`.
 *
 * @param report the report stage with the cells that it has
 * @param dir folder of its outputs
 */
export async function makePages(
  report: StageNode,
  dir: string,
  { graph, root, file, version, endOf }: PagesOptions,
): Promise<readonly ReportFile[]> {
  const { pages, config } = report.component;
  if (pages === undefined) return [];
  const bundle = (url: string) => bundleImplementation(url, { root });
  const module = (await import(pathToFileURL((await bundle(pages)).path).href)) as {
    readonly pages?: PagesFunction;
  };
  if (typeof module.pages !== 'function')
    throw new Error(`the pages module of kind "${report.component.kind}" exports no function \`pages\``);
  const entryOf = (stage: StageNode): Entry => {
    const end = endOf(stage);
    if ('entry' in end) return end.entry as Entry;
    throw new Error(`${stage.id} has no result`);
  };
  const inputs = openInputs(await describeInputs(report.inputs, entryOf, bundle));
  const stages = graph.stages.filter((node) => !isReport(node.component));
  return module.pages({
    config,
    inputs,
    dir,
    stages: stages.map((node) => recordOf(node, graph, endOf(node))),
    command: ['run', file, ...flagsOf(graph.changes)],
    version,
  });
}

function recordOf(node: StageNode, { cells }: StageGraph, end: StageEnd): StageRecord {
  const { id, seed } = node;
  const { role, kind, config } = node.component;
  return {
    ...{ id, role, kind, seed, config },
    needs: upstreamStages(node).map((one) => one.id),
    cells: cells.flatMap(({ variant, task, stage }) => (stage === node ? [{ variant, task }] : [])),
    ...('entry' in end ? { result: resultOf(end.entry) } : end),
  };
}

function resultOf({ key, dir, provenance }: Pick<Entry, 'dir' | 'key' | 'provenance'>) {
  return { key, dir, provenance };
}

/** The flags of the command line that change an experiment in this way. */
export function flagsOf(changes: readonly Change[]): readonly string[] {
  return changes.flatMap(({ by, path, to }) => {
    if (by === 'smoke') return ['--smoke'];
    if (by === 'set') return ['--set', `${path}=${valueText(to)}`];
    const values = (to as readonly Json[]).map((value) =>
      by === 'sweep' ? valueText(value) : String(value),
    );
    return by === 'sweep' ? ['--sweep', `${path}=${values.join(',')}`] : [`--${by}`, values.join(',')];
  });
}

/** A value as `--set` reads it: text as it is, unless that is JSON itself. */
function valueText(value: Json): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return /^[\w./@~-]+$/.test(value) && !isJson(value) ? value : JSON.stringify(value);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
