import fs from 'node:fs';
import { compareSides, type Side, type SideStage } from '../../plan/compare.ts';
import type { ReadDocument } from '../../plan/differences.ts';
import { documentReader } from '../../plan/why.ts';
import { findSettings } from '../../settings/project.ts';
import { listAllRuns, readAllEvents } from '../../slurm/runs.ts';
import { PecoError } from '../../stage/errors.ts';
import type { ContentKey } from '../../stage/keys.ts';
import { openStore } from '../../store/store.ts';
import { findNamed } from '../find-named.ts';
import { type ExperimentFlags, prepareExperiment, warnOnStderr } from '../prepare.ts';
import { printLines } from '../print.ts';
import { formatComparison } from '../text/diff.ts';

/**
 * `peco-exp diff A B`: how two experiments or two runs differ, stage by stage: fields, and metrics where both have
 * results. Each side is an experiment file, or a run (its id, a unique start of it, or `last`). Flags such as `--set`
 * concern the second, so that `diff a.ts a.ts --set ...` shows what a change does.
 *
 * @throws PecoError `unknown-name` or `ambiguous-name` for what is neither a file nor a run
 */
export async function diffCommand(a: string, b: string, flags: ExperimentFlags): Promise<number> {
  const { set: _set, seeds: _seeds, tasks: _tasks, sweep: _sweep, smoke: _smoke, ...common } = flags;
  const before = await openSide(a, common);
  const after = await openSide(b, flags);
  const read: ReadDocument = (digest) => before.read(digest) ?? after.read(digest);
  const comparison = compareSides(before, after, read);
  const lines = flags.json ? [JSON.stringify(comparison)] : formatComparison(before, after, comparison);
  printLines(lines);
  return 0;
}

type OpenSide = Side & { readonly read: ReadDocument };

async function openSide(what: string, flags: ExperimentFlags): Promise<OpenSide> {
  const isFile = fs.existsSync(what) || /\.[cm]?[jt]s$/.test(what);
  return isFile ? openExperiment(what, flags) : openRun(what, flags);
}

async function openExperiment(file: string, flags: ExperimentFlags): Promise<OpenSide> {
  const { plan, store } = await prepareExperiment(file, flags, warnOnStderr);
  const stages = new Map(
    plan.stages.map(({ node, fingerprint, entry }) => [
      node.id,
      { fingerprint, ...(entry ? { entry } : {}) },
    ]),
  );
  return { name: file, stages, read: documentReader(plan, store) };
}

/** The stages that a run found or made, as far as their results are still stored. */
async function openRun(what: string, flags: ExperimentFlags): Promise<OpenSide> {
  const cwd = process.cwd();
  const settings = await findSettings(cwd, { flags, env: process.env, cwd });
  const store = openStore(settings.store.value, { from: settings.store.from });
  const run = findNamed(what, await listAllRuns(store.dir), store, ', or the path of an experiment file');
  if (!('record' in run)) {
    throw new PecoError(`${what} is a stored result, not a run`, {
      code: 'unknown-name',
      hint: 'compare two experiment files or two runs; peco-exp show lists runs',
    });
  }
  const stages = new Map<string, SideStage>();
  for (const event of await readAllEvents(run)) {
    if (event.type !== 'stage-finished') continue;
    const key = event.contentKey as ContentKey;
    const fingerprint = await store.fingerprint(key);
    const entry = await store.lookup(key);
    if (fingerprint) stages.set(event.stage, { fingerprint, ...(entry ? { entry } : {}) });
  }
  return { name: run.record.id, stages, read: (digest) => store.documents.read(digest) };
}
