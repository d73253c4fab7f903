import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { loadExperiment } from '../../framework/experiment/load.ts';
import type { LoadOptions } from '../../framework/experiment/types.ts';
import { resolveGraph } from '../../framework/plan/graph.ts';
import { locateStage } from '../../framework/plan/locate.ts';
import { type Plan, planRun } from '../../framework/plan/plan.ts';
import type { StageGraph, StageNode } from '../../framework/plan/types.ts';
import type { Fingerprint } from '../../framework/stage/keys.ts';
import { openStore } from '../../framework/store/store.ts';
import type { Entry } from '../../framework/store/types.ts';
import { fakeComponents, fakeExperiment } from './fake-components.ts';
import { createProject, type Project } from './project.ts';

export function createFakeProject(t: ExecutionContext): Project {
  return createProject(t, { ...fakeComponents, 'experiment.ts': fakeExperiment });
}

/**
 * The fake project with all its stages stored, and what its code was found to be. They are made once for all tests of a
 * file; each has a copy in a folder of its own.
 */
export async function createStoredProject(t: ExecutionContext): Promise<Project> {
  stored ??= storeOnce(t);
  const dir = await stored;
  const project = createFakeProject(t);
  copyStored(dir, project.dir);
  return project;
}

let stored: Promise<string> | undefined;

async function storeOnce(t: ExecutionContext): Promise<string> {
  const project = createFakeProject(t);
  await simulateRun(project);
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'peco-exp-stored-'));
  copyStored(project.dir, dir);
  return dir;
}

function copyStored(from: string, to: string): void {
  for (const name of ['.peco', 'node_modules/.cache'])
    fs.cpSync(path.join(from, name), path.join(to, name), { recursive: true, preserveTimestamps: true });
}

export async function loadGraph(project: Project, options: Partial<LoadOptions> = {}): Promise<StageGraph> {
  const loaded = await loadExperiment('experiment.ts', { cwd: project.dir, ...options });
  return resolveGraph(loaded.experiment);
}

export async function plan(project: Project, options: Partial<LoadOptions> = {}): Promise<Plan> {
  const store = openStore(project.file('.peco'));
  return planRun(await loadGraph(project, options), { store, root: project.dir });
}

/** What a stage writes: by default bytes that differ whenever anything in its key differs. */
export type Output = (node: StageNode, fingerprint: Fingerprint) => string;

/** Does what a run does, with stages that only write `output`. Returns the ids of the stages that ran. */
export async function simulateRun(
  project: Project,
  options: Partial<LoadOptions> & { readonly output?: Output } = {},
): Promise<readonly string[]> {
  const { output = (_node, fingerprint) => JSON.stringify(fingerprint), ...load } = options;
  const store = openStore(project.file('.peco'));
  const graph = await loadGraph(project, load);
  await planRun(graph, { store, root: project.dir });
  const entries = new Map<StageNode, Entry>();
  const ran: string[] = [];
  for (const node of graph.stages) {
    const keyed = await locateStage(node, (stage) => entries.get(stage)!, { store, root: project.dir });
    let { entry } = keyed;
    if (!entry) {
      ran.push(node.id);
      const outDir = await store.newOutDir();
      fs.writeFileSync(path.join(outDir, 'weights.bin'), output(node, keyed.fingerprint));
      store.documents.save(keyed.documents);
      entry = await store.commit(keyed.contentKey, {
        outDir,
        fingerprint: keyed.fingerprint,
        provenance: {},
      });
    }
    entries.set(node, entry);
  }
  await store.flush();
  return ran;
}
