import fs from 'node:fs/promises';
import { openProjectCache } from '../../code/cache.ts';
import { estimatePlan } from '../../plan/estimate.ts';
import { type Recorded, readRecorded } from '../../plan/past-stages.ts';
import { mayRun } from '../../plan/types.ts';
import type { Emit, RunEvent, RunFinished } from '../../run/record/events.ts';
import { readGit } from '../../run/record/git.ts';
import { openRunLog, type RunDescription, type RunLog } from '../../run/record/log.ts';
import { type RunOutcome, runExperiment } from '../../run/run.ts';
import { formatElapsed } from '../../stage/duration.ts';
import { PecoError } from '../../stage/errors.ts';
import type { ContentKey } from '../../stage/keys.ts';
import { codeOf } from '../bundles.ts';
import { knownSpeed } from '../engine-speed.ts';
import { threadsOf } from '../engines.ts';
import { checkEventsFolder, EventWriter } from '../event-files.ts';
import { listenForInterrupts } from '../interrupts.ts';
import { type ExperimentFlags, type Prepared, prepareExperiment } from '../prepare.ts';
import { outputLook, printText } from '../print.ts';
import { createJsonRenderer } from '../progress/json.ts';
import { createLineRenderer } from '../progress/lines.ts';
import { isLiveTerminal, terminalOf } from '../progress/live-terminal.ts';
import type { Renderer } from '../progress/renderer.ts';
import { describeEnd, describeRecord, describeStart, optionsOf, withEngine } from '../running.ts';
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
  checkEventsFolder(flags.tensorboard);
  const ready = await prepareExperiment(
    file,
    { ...flags, willRun: true, writesTables: true },
    ({ message }) => show({ type: 'warning', message }),
  );
  checkExecutor(ready, flags);
  const onSlurm = ready.project.executor === 'slurm' && ready.plan.stages.some(mayRun);
  const prepared = onSlurm ? ready : await withEngine(ready, (event) => show(event));
  const { project, store, plan } = prepared;
  const events = await openEvents(prepared, flags, (event) => show(event));
  // Where all is stored, or dropped by what is, there is nothing to record.
  const idle = !plan.stages.some(mayRun);
  const git = idle ? null : await readGit(project.root, await codeOf(prepared));
  const executor = onSlurm ? { executor: 'slurm' as const } : {};
  const log = idle ? undefined : openLog(prepared, { version, git, ...executor }, (event) => show(event));
  const slurm = onSlurm
    ? await (await import('./slurm.ts')).submitStages(ready, { flags, early, log })
    : undefined;
  if (slurm && !flags.watch) return slurm.code;
  const recorded = await readRecorded(plan, store);
  const renderer = await createRenderer(prepared, flags, recorded);
  show = (event) => {
    if (event.type === 'stage-finished') finished.set(event.stage, event.contentKey as ContentKey);
    events?.show(event);
    if (event.type === 'warning') warned = true;
    log?.record(event);
    renderer.show(event);
  };
  for (const event of [describeStart(prepared), ...early]) show(event);

  // Jobs go on without us.
  interrupts.begin((event) =>
    show(slurm && event.type === 'run-interrupted' ? { ...event, leaves: true } : event),
  );
  let outcome: RunOutcome;
  let written: readonly string[] = [];
  try {
    const { stop, kill } = interrupts;
    const about = { version, stop, kill, ...(log === undefined ? {} : { run: log.id }) };
    const options = {
      ...optionsOf(prepared, flags, git),
      ...about,
      recorded: project.jobs > 1 ? recorded : [],
    };
    outcome = await runExperiment(plan, options, (event) => show(event), slurm?.settle);
    await store.flush();
    written = (await events?.end()) ?? [];
  } finally {
    interrupts.end();
    await renderer.close();
  }
  const end = describeEnd(outcome, events && { dir: events.dir, files: written.length });
  log?.record(end);
  if (flags.json) renderer.show(end);
  else printText(await formatConclusion(end, outputLook()));
  // A rerun of a halved sweep lists the points that it drops; the record couldn't.
  const repeatable = outcome.status === 'done' && !warned && outcome.counts.dropped === 0;
  if (repeatable) await rememberRun(prepared, { outcome, end, written, keys: [...finished.values()] });
  return { done: 0, failed: 1, interrupted: 130 }[outcome.status];
}

/** @throws PecoError `usage` for what only jobs of Slurm have, or what needs a process that waits for them */
function checkExecutor({ project, plan }: Prepared, { watch, tensorboard }: ExperimentFlags): void {
  const isSlurm = project.executor === 'slurm';
  if (watch && !isSlurm)
    throw new PecoError('--watch is for jobs of Slurm, and this run has none', {
      code: 'usage',
      hint: 'add --executor slurm, or leave it out: a run on this machine stays until its end',
    });
  if (isSlurm && !watch && tensorboard !== undefined && plan.stages.some(mayRun))
    throw new PecoError('--tensorboard needs --watch with Slurm: the jobs write no event files', {
      code: 'usage',
      hint: 'add --watch, or give --tensorboard to `peco-exp report` once they have ended',
    });
}

/** Writes event files while the run goes on, if they were asked for. What goes wrong with them is a warning. */
async function openEvents(
  { plan, store, project }: Prepared,
  { tensorboard: folder }: ExperimentFlags,
  emit: Emit,
): Promise<EventWriter | undefined> {
  if (folder === undefined) return undefined;
  return EventWriter.open({
    ...{ folder, plan, store },
    // Histories of a cluster's nodes lie on a file system that all of them share.
    every: project.executor === 'slurm' ? 5000 : 2000,
    onProblem: (problem) => emit({ type: 'warning', ...problem }),
  });
}

/** Starts the record of the run. What goes wrong with it is a warning: no run fails for its record. */
function openLog(
  prepared: Prepared,
  about: Pick<RunDescription, 'version' | 'git' | 'executor'>,
  emit: Emit,
): RunLog | undefined {
  return openRunLog(
    prepared.store.dir,
    { ...describeRecord(prepared), ...about },
    {
      onProblem: (message) => emit({ type: 'warning', message }),
    },
  );
}

/** NDJSON if asked for, a live display on a terminal, and lines everywhere else. */
async function createRenderer(
  { plan, project }: Prepared,
  flags: ExperimentFlags,
  recorded: readonly Recorded[],
): Promise<Renderer> {
  const look = outputLook();
  const options = { write: printText, verbose: flags.verbose ?? false, look };
  if (flags.json) return createJsonRenderer(printText);
  const live = isLiveTerminal(process.stdout, process.env) && !options.verbose && plan.stages.some(mayRun);
  if (!live) return createLineRenderer(options);
  const { LiveDisplay } = await import('../progress/live.ts');
  const { root, jobs, engine } = project;
  const threads = threadsOf(jobs);
  const measured = knownSpeed(engine, threads, openProjectCache(root).dir);
  const speed = measured ? { speed: measured.speed } : {};
  const { stages, seconds, unknown } = estimatePlan(plan, recorded, { jobs, engine, threads, ...speed });
  const known = new Map([...stages].map(([node, own]) => [node.id, own]));
  return new LiveDisplay({
    ...{ terminal: terminalOf(process.stdout), look },
    ...(unknown === stages.size ? {} : { expected: { total: seconds, stages: known } }),
  });
}

/** The table, what happened, and where the files are. */
async function formatConclusion(event: RunFinished, look: Look): Promise<string> {
  const table = event.files.find((file) => file.endsWith('.md'));
  const shown = table ? `\n${showMarkdown(await fs.readFile(table, 'utf8'), look)}\n` : '';
  return inCharacters(`${shown}${formatRunFinished(event, formatPath, look).join('\n')}\n`, look);
}

/** What this command says the next time, if nothing changes until then: the quick path answers with it. */
async function rememberRun(
  prepared: Prepared,
  {
    outcome,
    end,
    written,
    keys,
  }: {
    readonly outcome: RunOutcome;
    readonly end: RunFinished;
    /** Event files. */
    readonly written: readonly string[];
    readonly keys: readonly ContentKey[];
  },
): Promise<void> {
  const { counts } = outcome;
  const start = describeStart(prepared);
  const stages = start.stages.map((stage) => ({ ...stage, status: 'hit' as const }));
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
    results: [...outcome.files, ...written],
    before: `${head}\n${text.slice(0, at)}`,
    after: text.slice(at + time.length),
  }).catch(() => {}); // a record that can't be written (read-only folder, full disk) only costs time
}
