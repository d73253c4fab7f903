import fs from 'node:fs';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import type { QuickRecord } from '../../../../../framework/cli/quick/quick.ts';
import { isCurrent } from '../../../../../framework/cli/quick/quick.ts';
import { describeQuickRun } from '../../../../../framework/cli/quick/record.ts';
import { loadExperiment } from '../../../../../framework/experiment/load.ts';
import { resolveGraph } from '../../../../../framework/plan/graph.ts';
import { locateStage } from '../../../../../framework/plan/locate.ts';
import { planRun } from '../../../../../framework/plan/plan.ts';
import type { StageNode } from '../../../../../framework/plan/types.ts';
import { writeResults } from '../../../../../framework/run/write-results.ts';
import { findProject } from '../../../../../framework/settings/project.ts';
import { openStore } from '../../../../../framework/store/store.ts';
import type { Entry } from '../../../../../framework/store/types.ts';
import { createProject, type Project, repository } from '../../../../support/project.ts';
import { quickFiles, quickVariables } from './files.ts';

/** A project whose runs happen in this process: stages only write what is in their fingerprints. */
export interface QuickProject extends Project {
  /** Makes what is missing and publishes, as a run does; then records it, if that can be. */
  run(): Promise<void>;
  /** The record of the last run; undefined where it wrote none. */
  record(): QuickRecord | undefined;
  /** What the quick path says: whether it answers at all. */
  answers(): boolean;
  /** What a run would do the long way: nothing, or what. */
  longWay(): Promise<string>;
  /** Puts everything back that a run needs; stores and results go. */
  restore(): void;
}

const args = ['run', 'experiment.ts'];
/** Long enough that every file counts as settled: tests write no file twice within a tick of the file system's clock. Milliseconds. */
const later = 3_600_000;

export function createQuickProject(t: ExecutionContext): QuickProject {
  const project = createProject(t, {});
  const cwd = project.file('home');
  let record: QuickRecord | undefined;

  async function prepare() {
    const loaded = await loadExperiment('experiment.ts', { cwd });
    const place = await findProject(loaded.file, { flags: {}, env: process.env, cwd });
    const warnings: string[] = [];
    const store = openStore(place.store, { onWarning: ({ message }) => warnings.push(message) });
    const plan = await planRun(resolveGraph(loaded.experiment), { store, root: place.root });
    return { loaded, project: place, store, plan, warnings };
  }

  async function run(): Promise<void> {
    record = undefined;
    const prepared = await prepare();
    const { loaded, store, plan, project: place } = prepared;
    const entries = new Map<StageNode, Entry>();
    for (const { node } of plan.stages) {
      const located = await locateStage(node, (stage) => entries.get(stage)!, { store, root: place.root });
      let { entry } = located;
      if (!entry) {
        const outDir = await store.newOutDir();
        for (const name of node.component.role === 'report' ? ['table.md', 'table.csv'] : ['weights.bin'])
          fs.writeFileSync(path.join(outDir, name), JSON.stringify(located.fingerprint));
        store.documents.save(located.documents);
        entry = await store.commit(located.contentKey, {
          outDir,
          fingerprint: located.fingerprint,
          provenance: {},
        });
      }
      entries.set(node, entry);
    }
    await store.flush();
    const results = await writeResults(
      entries.get(reportOf(plan.stages))!,
      path.join(place.results, 'quick'),
      {
        experiment: 'quick',
        file: loaded.file,
        root: place.root,
        changes: [],
        config: {},
        command: args,
        run: null,
        version: null,
        git: async () => null,
      },
    );
    if (prepared.warnings.length > 0) return; // as the command line: it says them again
    const keys = [...entries.values()].map(({ key }) => key);
    const looks = [...loaded.looks].map(
      ([place, look]) => [place, { ...look, at: look.at + later }] as const,
    );
    const settled = { ...prepared, loaded: { ...loaded, looks: new Map(looks) } };
    const finished = { prepared: settled, args, cwd, keys, results, before: '', after: '' };
    record = await describeQuickRun(finished, () => Date.now() + later);
  }

  async function longWay(): Promise<string> {
    try {
      const { plan, project: place, warnings } = await prepare();
      const open = plan.stages.filter(({ status }) => status !== 'hit').map(({ node }) => node.id);
      if (open.length > 0) return `runs ${open.join(', ')}`;
      const report = plan.stages.find(({ node }) => node === reportOf(plan.stages))!.entry!;
      const changed = report.outputs.filter(
        (output) =>
          !isSame(path.join(report.dir, output.path), path.join(place.results, 'quick', output.path)),
      );
      return [...changed.map((output) => `writes ${output.path}`), ...warnings].join(', ') || 'nothing';
    } catch (error) {
      return `fails: ${(error as Error).message}`;
    }
  }

  function restore(): void {
    for (const name of fs.readdirSync(project.dir))
      fs.rmSync(project.file(name), { recursive: true, force: true });
    project.write(quickFiles);
    // Above the project, where no edit comes.
    fs.mkdirSync(project.file('node_modules'));
    fs.symlinkSync(path.join(repository, 'node_modules/zod'), project.file('node_modules/zod'));
    fs.symlinkSync('../../linked', project.file('home/node_modules/near'));
    for (const [name, [value]] of Object.entries(quickVariables)) setVariable(project, name, value);
  }

  t.teardown(() => {
    for (const name of Object.keys(quickVariables)) delete process.env[name];
  });
  restore();
  return {
    ...project,
    run,
    record: () => record,
    answers: () => record !== undefined && isCurrent(record, cwd, args),
    longWay,
    restore,
  };
}

/** A folder is given relative to the project's. */
export function setVariable(project: Project, name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = name === 'QUICK_DATA' ? `${project.dir}/${value}` : value;
}

function reportOf(stages: readonly { readonly node: StageNode }[]): StageNode {
  return stages.find(({ node }) => node.component.role === 'report')!.node;
}

function isSame(one: string, other: string): boolean {
  return fs.existsSync(other) && fs.readFileSync(one).equals(fs.readFileSync(other));
}
