import fs from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { estimatePlan } from '../../plan/estimate.ts';
import { type Recorded, readRecorded } from '../../plan/past-stages.ts';
import { mayRun } from '../../plan/types.ts';
import { localExecutor } from '../../run/executors/local.ts';
import type { RunOptions } from '../../run/options.ts';
import type { Emit, RunEvent, RunFinished, RunStarted, StageSummary } from '../../run/record/events.ts';
import { type Git, readGit } from '../../run/record/git.ts';
import { openRunLog, type RunLog } from '../../run/record/log.ts';
import { type RunOutcome, runExperiment } from '../../run/run.ts';
import { formatElapsed } from '../../stage/duration.ts';
import type { ContentKey } from '../../stage/keys.ts';
import { codeOf } from '../bundles.ts';
import { commandOf, describeResolved } from '../described.ts';
import { resolveEngine, threadsOf } from '../engines.ts';
import { listenForInterrupts } from '../interrupts.ts';
import { type ExperimentFlags, type Prepared, prepareExperiment } from '../prepare.ts';
import { outputLook } from '../print.ts';
import { createJsonRenderer } from '../progress/json.ts';
import { createLineRenderer } from '../progress/lines.ts';
import { isLiveTerminal } from '../progress/live-terminal.ts';
import type { Renderer } from '../progress/renderer.ts';
import { formatPath } from '../text/format.ts';
import { inCharacters, type Look } from '../text/look.ts';
import { showMarkdown } from '../text/markdown.ts';
import { formatRunFinished, formatRunStarted } from '../text/text.ts';

/** `peco-exp run FILE`. Returns the exit code: 0 done, 1 a stage failed, 130 interrupted. */
export async function runCommand(file: string, flags: ExperimentFlags, version: string): Promise<number> {
  const interrupts = listenForInterrupts();
  const early: RunEvent[] = [];
  let show: Emit = (event) => early.push(event);
  const finished = new Map<string, ContentKey>();
  let warned = false;
  const prepared = await withEngine(
    await prepareExperiment(file, { ...flags, willRun: true, writesTables: true }, ({ message }) =>
      show({ type: 'warning', message }),
    ),
    (event) => show(event),
  );
  const { project, store, plan } = prepared;
  const recorded = await readRecorded(plan, store);
  const renderer = await createRenderer(prepared, flags, recorded);
  // Where all is stored, or dropped by what is, there is nothing to record.
  const idle = !plan.stages.some(mayRun);
  const git = idle ? null : await readGit(project.root, await codeOf(prepared));
  const log = idle ? undefined : openLog(prepared, { version, git }, (event) => show(event));
  show = (event) => {
    if (event.type === 'stage-finished') finished.set(event.stage, event.contentKey as ContentKey);
    if (event.type === 'warning') warned = true;
    log?.record(event);
    renderer.show(event);
  };
  for (const event of [describeStart(prepared), ...early]) show(event);

  interrupts.begin(show);
  let outcome: RunOutcome;
  try {
    const { stop, kill } = interrupts;
    const about = { version, stop, kill, ...(log === undefined ? {} : { run: log.id }) };
    const options = {
      ...optionsOf(prepared, flags, git),
      ...about,
      recorded: project.jobs > 1 ? recorded : [],
    };
    outcome = await runExperiment(plan, options, (event) => show(event));
    await store.flush();
  } finally {
    interrupts.end();
    await renderer.close();
  }
  const end = describeEnd(outcome);
  log?.record(end);
  if (flags.json) renderer.show(end);
  else process.stdout.write(await formatConclusion(end, outputLook()));
  // A rerun of a halved sweep lists the points that it drops; the record couldn't.
  const repeatable = outcome.status === 'done' && !warned && outcome.counts.dropped === 0;
  if (repeatable) await rememberRun(prepared, outcome, [...finished.values()]);
  return { done: 0, failed: 1, interrupted: 130 }[outcome.status];
}

/** What flags and settings say of how stages run. */
function optionsOf(
  prepared: Prepared,
  flags: ExperimentFlags,
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
    executor: localExecutor(fileURLToPath(new URL('./worker.js', import.meta.url)), {
      sourceMaps: flags.verbose ?? false,
      root,
      cwd: process.cwd(),
    }),
  };
}

/** Starts the record of the run. What goes wrong with it is a warning: no run fails for its record. */
function openLog(
  { loaded, project, store, plan }: Prepared,
  about: { readonly version: string; readonly git: Git },
  emit: Emit,
): RunLog | undefined {
  const description = {
    experiment: plan.graph.experiment,
    file: path.relative(project.root, loaded.file),
    command: commandOf(project.root),
    stages: plan.stages.length,
    engine: project.engine,
    jobs: project.jobs,
    ...about,
  };
  return openRunLog(store.dir, description, {
    onProblem: (message) => emit({ type: 'warning', message }),
  });
}

/** With the engine that `auto` means here, so that results name it. Only asked where something will run. */
async function withEngine(prepared: Prepared, emit: Emit): Promise<Prepared> {
  const { project, plan } = prepared;
  if (!plan.stages.some(mayRun)) return prepared;
  const script = fileURLToPath(new URL('./engine-check.js', import.meta.url));
  const engine = await resolveEngine(project.engine, { script }, emit);
  return { ...prepared, project: { ...project, engine } };
}

function describeStart({ loaded, project, store, plan }: Prepared): RunStarted {
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

/** NDJSON if asked for, a live display on a terminal, and lines everywhere else. */
async function createRenderer(
  { plan, project }: Prepared,
  flags: ExperimentFlags,
  recorded: readonly Recorded[],
): Promise<Renderer> {
  const write = (text: string) => void process.stdout.write(text);
  const look = outputLook();
  const options = { write, verbose: flags.verbose ?? false, look };
  if (flags.json) return createJsonRenderer(write);
  const live = isLiveTerminal(process.stdout, process.env) && !options.verbose && plan.stages.some(mayRun);
  if (!live) return createLineRenderer(options);
  const { LiveDisplay } = await import('../progress/live.ts');
  const { stdout } = process;
  const terminal = { write, columns: () => stdout.columns, rows: () => stdout.rows };
  const { stages, seconds, unknown } = estimatePlan(plan, recorded, {
    jobs: project.jobs,
    engine: project.engine,
    threads: threadsOf(project.jobs),
  });
  const known = new Map([...stages].map(([node, own]) => [node.id, own ?? 0]));
  return new LiveDisplay({
    ...{ terminal, look },
    ...(unknown > 0 ? {} : { expected: { total: seconds, stages: known } }),
  });
}

// The time is of the whole command, from the start of the process.
function describeEnd({ status, counts, files }: RunOutcome): RunFinished {
  return { type: 'run-finished', status, counts, files, seconds: performance.now() / 1000 };
}

/** The table, what happened, and where the files are. */
async function formatConclusion(event: RunFinished, look: Look): Promise<string> {
  const table = event.files.find((file) => file.endsWith('.md'));
  const shown = table ? `\n${showMarkdown(await fs.readFile(table, 'utf8'), look)}\n` : '';
  return inCharacters(`${shown}${formatRunFinished(event, formatPath).join('\n')}\n`, look);
}

/** What this command says the next time, if nothing changes until then: the quick path answers with it. */
async function rememberRun(
  prepared: Prepared,
  outcome: RunOutcome,
  keys: readonly ContentKey[],
): Promise<void> {
  const { counts } = outcome;
  const start = describeStart(prepared);
  const stages = start.stages.map((stage) => ({ ...stage, status: 'hit' as const }));
  const end = describeEnd(outcome);
  const again = {
    ...end,
    counts: { ...counts, hit: counts.hit + counts.ran + counts.shared, ran: 0, shared: 0 },
  };
  const text = await formatConclusion(again, outputLook());
  const time = formatElapsed(again.seconds);
  const at = text.lastIndexOf(`done in ${time}`) + 'done in '.length;
  const head = formatRunStarted({ ...start, stages }).join('\n');
  const { recordQuickRun } = await import('../quick/record.ts');
  await recordQuickRun({
    prepared,
    args: process.argv.slice(2),
    cwd: process.cwd(),
    keys,
    results: outcome.files,
    before: `${head}\n${text.slice(0, at)}`,
    after: text.slice(at + time.length),
  }).catch(() => {}); // a record that can't be written (read-only folder, full disk) only costs time
}
