import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { mayRun } from '../plan/types.ts';
import { localExecutor } from '../run/executors/local.ts';
import type { RunOptions } from '../run/options.ts';
import type { Emit, EventFiles, RunFinished, RunStarted, StageSummary } from '../run/record/events.ts';
import { type Git, readGit } from '../run/record/git.ts';
import type { RunDescription } from '../run/record/log.ts';
import type { RunOutcome } from '../run/run.ts';
import { codeOf } from './bundles.ts';
import { commandOf, describeResolved } from './described.ts';
import { resolveEngine } from './engines.ts';
import type { ExperimentFlags, Prepared } from './prepare.ts';

/** What a command that runs stages has in common with the others that do. */

/** A script that `dist/` has beside the command line. */
function builtScript(name: string): string {
  return fileURLToPath(new URL(`./${name}`, import.meta.url));
}

/** What flags and settings say of how stages run. */
export function optionsOf(
  prepared: Prepared,
  flags: Pick<ExperimentFlags, 'failFast' | 'verbose'>,
  git: Git,
): Omit<RunOptions, 'stop' | 'kill' | 'recorded'> {
  const { project, store, loaded } = prepared;
  const { root, results, jobs, retries, timeout, engine } = project;
  return {
    ...{ store, root, results, jobs, retries, engine },
    ...(timeout === undefined ? {} : { timeout }),
    source: {
      file: loaded.file,
      command: commandOf(root),
      config: describeResolved(prepared),
      git: async () => git ?? readGit(root, await codeOf(prepared)),
    },
    git,
    failFast: flags.failFast ?? false,
    smoke: loaded.smoke !== undefined,
    executor: localExecutor(builtScript('worker.js'), {
      sourceMaps: flags.verbose ?? false,
      root,
      cwd: process.cwd(),
    }),
  };
}

/** With the engine that `auto` means here, so that results name it. Only asked where something will run. */
export async function withEngine(prepared: Prepared, emit: Emit): Promise<Prepared> {
  const { project, plan } = prepared;
  if (!plan.stages.some(mayRun)) return prepared;
  const engine = await resolveEngine(project.engine, { script: builtScript('engine-check.js') }, emit);
  return { ...prepared, project: { ...project, engine } };
}

export function describeStart({ loaded, project, store, plan }: Prepared): RunStarted {
  return {
    type: 'run-started',
    experiment: plan.graph.experiment,
    file: loaded.file,
    overrides: loaded.overrides,
    ...(loaded.changes.length > 0 ? { changes: loaded.changes } : {}),
    ...(loaded.smoke ? { smoke: loaded.smoke } : {}),
    stages: plan.stages.map(
      ({ node, status }): StageSummary => ({ stage: node.id, kind: node.component.kind, status }),
    ),
    store: store.dir,
    results: project.results,
    jobs: project.jobs,
    engine: project.engine,
  };
}

// The time is of the whole command, from the start of the process.
export function describeEnd({ status, counts, files }: RunOutcome, events?: EventFiles): RunFinished {
  const seconds = performance.now() / 1000;
  const end: RunFinished = { type: 'run-finished', status, counts, files, seconds };
  return events ? { ...end, tensorboard: events } : end;
}

/** What a record says of a run as it begins. */
export function describeRecord({ loaded, project, plan }: Prepared): Omit<RunDescription, 'version' | 'git'> {
  return {
    experiment: plan.graph.experiment,
    file: path.relative(project.root, loaded.file),
    command: commandOf(project.root),
    stages: plan.stages.length,
    engine: project.engine,
    jobs: project.jobs,
  };
}
