import { compareSides, type Side } from '../plan/compare.ts';
import type { ReadDocument } from '../plan/differences.ts';
import { type ExperimentFlags, prepareExperiment, warnOnStderr } from './prepare.ts';
import { formatComparison } from './render/diff.ts';

/**
 * `peco-exp diff A B`: in what two experiments differ, stage by stage: fields, and metrics where both have results.
 * Flags such as `--set` concern the second, so that `diff a.ts a.ts --set ...` shows what a change does.
 */
export async function diffCommand(a: string, b: string, flags: ExperimentFlags): Promise<number> {
  const {
    set: _set,
    seeds: _seeds,
    sweep: _sweep,
    ...common
  } = flags as ExperimentFlags & { sweep?: unknown };
  const before = await openSide(a, common);
  const after = await openSide(b, flags);
  const read: ReadDocument = (digest) => before.read(digest) ?? after.read(digest);
  const comparison = compareSides(before, after, read);
  const lines = flags.json ? [JSON.stringify(comparison)] : formatComparison(before, after, comparison);
  process.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}

async function openSide(
  file: string,
  flags: ExperimentFlags,
): Promise<Side & { readonly read: ReadDocument }> {
  const { plan, store } = await prepareExperiment(file, flags, warnOnStderr);
  const stages = new Map(
    plan.stages.map(({ node, fingerprint, entry }) => [
      node.id,
      { fingerprint, ...(entry ? { entry } : {}) },
    ]),
  );
  return { name: file, stages, read: (digest) => plan.documents.get(digest) ?? store.documents.read(digest) };
}
