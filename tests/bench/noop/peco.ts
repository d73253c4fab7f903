import fs from 'node:fs';
import path from 'node:path';
import { loadExperiment } from '../../../framework/experiment/load.ts';
import { resolveGraph } from '../../../framework/plan/graph.ts';
import { locateStage } from '../../../framework/plan/locate.ts';
import type { StageNode } from '../../../framework/plan/types.ts';
import { upstreamStages } from '../../../framework/plan/walk.ts';
import { openStore } from '../../../framework/store/store.ts';
import type { Entry } from '../../../framework/store/types.ts';
import { countStages, type Shape, writeFiles } from './graph.ts';
import { experimentFile, repository } from './peco-project.ts';
import type { Command } from './tools.ts';

const launcher = path.join(
  repository,
  (
    JSON.parse(fs.readFileSync(path.join(repository, 'package.json'), 'utf8')) as {
      bin: { 'peco-exp': string };
    }
  ).bin['peco-exp'],
);

export function pecoCommand(dir: string, command: 'run' | 'plan'): Command {
  return { argv: [process.execPath, launcher, command, experimentFile], cwd: dir };
}

/**
 * Puts a result for every stage into the store as runs of it would, without starting a process for each. Returns how
 * many stages there are.
 *
 * @throws if that isn't what the shape says
 */
export async function fillStore(dir: string, shape: Shape): Promise<number> {
  const loaded = await loadExperiment(experimentFile, { cwd: dir });
  const graph = resolveGraph(loaded.experiment);
  if (graph.stages.length !== countStages(shape)) {
    throw new Error(`the experiment has ${graph.stages.length} stages instead of ${countStages(shape)}`);
  }
  const store = openStore(path.join(dir, '.peco'));
  const entries = new Map<StageNode, Entry>();
  const commits = new Map<StageNode, Promise<void>>();

  async function commit(node: StageNode): Promise<void> {
    await Promise.all(upstreamStages(node).map((upstream) => commits.get(upstream)!));
    const upstream = (other: StageNode) => entries.get(other)!;
    const { contentKey, fingerprint, documents } = await locateStage(node, upstream, { store, root: dir });
    const outDir = await store.newOutDir();
    writeFiles(outDir, {
      'out.txt': `${contentKey}\n`,
      'metrics.json': { engine: 'onnx', metrics: { made: 1 } },
    });
    store.documents.save(documents);
    entries.set(
      node,
      await store.commit(contentKey, { outDir, fingerprint, provenance: { engine: 'onnx' } }),
    );
  }

  for (const node of graph.stages) commits.set(node, commit(node));
  await Promise.all(commits.values());
  await store.flush();
  return graph.stages.length;
}
