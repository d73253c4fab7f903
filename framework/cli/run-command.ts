import fs from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Emit, RunEvent, StageSummary } from '../run/events.ts';
import { localExecutor } from '../run/local.ts';
import { type RunOutcome, runExperiment } from '../run/scheduler.ts';
import { resolveEngine } from './engines.ts';
import { listenForInterrupts } from './interrupts.ts';
import { type ExperimentFlags, type Prepared, prepareExperiment } from './prepare.ts';
import { createJsonRenderer } from './render/json.ts';
import { createLineRenderer } from './render/lines.ts';
import type { Renderer } from './render/renderer.ts';
import { formatRunFinished } from './render/text.ts';

/** Lines of a terminal that the live display leaves to the cursor. */
const spareLines = 2;

/** `peco-exp run FILE`. Returns the exit code: 0 done, 1 a stage failed, 130 interrupted. */
export async function runCommand(file: string, flags: ExperimentFlags): Promise<number> {
  const interrupts = listenForInterrupts();
  const early: RunEvent[] = [];
  let show: Emit = (event) => early.push(event);
  const prepared = await withEngine(
    await prepareExperiment(file, flags, ({ message }) => show({ type: 'warning', message })),
    (event) => show(event),
  );
  const renderer = await createRenderer(prepared, flags);
  renderer.show(describeStart(prepared));
  for (const event of early) renderer.show(event);
  show = (event) => renderer.show(event);

  interrupts.begin(show);
  const { project, store, plan } = prepared;
  let outcome: RunOutcome;
  try {
    outcome = await runExperiment(
      plan,
      {
        store,
        root: project.root,
        results: project.results,
        jobs: project.jobs,
        engine: project.engine,
        executor: localExecutor(fileURLToPath(new URL('./worker.js', import.meta.url)), {
          sourceMaps: flags.verbose ?? false,
        }),
        stop: interrupts.stop,
        kill: interrupts.kill,
      },
      (event) => show(event),
    );
    await store.flush();
  } finally {
    interrupts.end();
    await renderer.close();
  }
  await conclude(outcome, renderer, flags);
  return { done: 0, failed: 1, interrupted: 130 }[outcome.status];
}

/** With the engine that `auto` means here, so that results name it. Only asked where something will run. */
async function withEngine(prepared: Prepared, emit: Emit): Promise<Prepared> {
  const { project, plan } = prepared;
  if (plan.stages.every(({ status }) => status === 'hit')) return prepared;
  const script = fileURLToPath(new URL('./engine-check.js', import.meta.url));
  const engine = await resolveEngine(project.engine, { script }, emit);
  return { ...prepared, project: { ...project, engine } };
}

function describeStart({ loaded, project, store, plan }: Prepared): RunEvent {
  return {
    type: 'run-started',
    experiment: plan.graph.experiment,
    file: loaded.file,
    overrides: loaded.overrides,
    stages: plan.stages.map(
      ({ node, status }): StageSummary => ({ stage: node.id, kind: node.component.kind, status }),
    ),
    store: store.dir,
    results: project.results,
    jobs: project.jobs,
    engine: project.engine,
  };
}

/** NDJSON if asked for, a live display on a terminal, and lines everywhere else. */
async function createRenderer({ plan }: Prepared, flags: ExperimentFlags): Promise<Renderer> {
  const write = (text: string) => void process.stdout.write(text);
  const options = { write, verbose: flags.verbose ?? false };
  if (flags.json) return createJsonRenderer(write);
  const open = plan.stages.filter((stage) => stage.status !== 'hit').map((stage) => stage.node.id);
  const live = process.stdout.isTTY && !process.env.CI && !options.verbose && open.length > 0;
  if (!live) return createLineRenderer(options);
  const { createLiveRenderer } = await import('./render/live.ts');
  const room = () => Math.max(1, (process.stdout.rows ?? 24) - spareLines);
  return createLiveRenderer({ ...options, stages: open, room });
}

/** The table, what happened, and where the files are. */
async function conclude(outcome: RunOutcome, renderer: Renderer, flags: ExperimentFlags): Promise<void> {
  const { status, counts, files } = outcome;
  // Of the whole command, from the start of the process.
  const event = { type: 'run-finished', status, counts, files, seconds: performance.now() / 1000 } as const;
  if (flags.json) {
    renderer.show(event);
    return;
  }
  const table = files.find((file) => file.endsWith('.md'));
  if (table) process.stdout.write(`\n${await fs.readFile(table, 'utf8')}\n`);
  process.stdout.write(formatRunFinished(event, showPath).join('\n').concat('\n'));
}

function showPath(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative.startsWith('..') ? file : relative;
}
