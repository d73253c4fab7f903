import fs from 'node:fs';
import test from 'ava';
import type { RunEvent } from '../../../framework/run/record/events.ts';
import { openRunLog } from '../../../framework/run/record/log.ts';
import { eventsOf, Records, type Submission } from '../../../framework/slurm/records.ts';
import { endRun, listAllRuns, readAllEvents } from '../../../framework/slurm/runs.ts';
import type { InputKey } from '../../../framework/stage/keys.ts';
import { createProject } from '../../support/project.ts';

const about = {
  ...{ experiment: 'rig', file: 'a.ts', command: ['run', 'a.ts'], stages: 4, engine: 'onnx', jobs: 2 },
  ...{ version: '1.2.3', git: null, executor: 'slurm' as const },
};
const finished = (stage: string, origin: 'ran' | 'hit' = 'ran'): RunEvent => ({
  ...{ type: 'stage-finished', stage, origin, contentKey: 'f'.repeat(64) },
});

test('a run that left its stages to jobs is what these say: its events, how it ended, and when', async (t) => {
  const project = createProject(t, {});
  const log = openRunLog(project.dir, about, { onProblem: t.fail })!;
  const stages = ['tokenizer/a', 'tokenizer/b', 'downstream/a', 'downstream/b'];
  log.record({
    ...{ type: 'run-started', experiment: 'rig', file: 'a.ts', overrides: [], store: project.dir },
    ...{ results: '', jobs: 2, engine: 'onnx' },
    stages: stages.map((stage, at) => ({ stage, kind: 'k', status: at === 0 ? 'hit' : 'run' })),
  });
  log.record(finished('tokenizer/a', 'hit'));
  log.record({ type: 'stage-waiting', stage: 'tokenizer/b' });
  log.leave();

  const records = new Records(project.dir);
  const { id, dir } = records.newFolder('rig');
  const own = ['downstream/a', 'downstream/b'];
  const submission: Submission = {
    ...{ format: 1, id, experiment: 'rig', file: '/a.ts', run: log.id, user: 0, submitted: '2026-11-27' },
    flags: { store: project.dir, out: '', engine: 'onnx', retries: 1 },
    tasks: Object.fromEntries(own.map((stage, at) => [at, [{ stage, key: `${at}` as InputKey }]])),
  };
  records.write(submission);
  const tell = (index: number, ...events: readonly RunEvent[]) => {
    const lines = events.map((event, at) =>
      JSON.stringify({ time: `2100-01-01T00:0${index}:0${at}Z`, ...event }),
    );
    fs.appendFileSync(eventsOf(dir, index), `${lines.join('\n')}\n`);
  };
  const begun = { type: 'run-started', stages: [] } as unknown as RunEvent;

  // One of its jobs has ended, the other one has not begun; there is no Slurm to ask.
  tell(0, begun, { type: 'stage-started', stage: 'downstream/a', threads: 1 }, finished('downstream/a'));
  endRun(project.dir, log.id);
  t.is((await listAllRuns(project.dir))[0]!.status, 'running');

  // Requeued, it finds what it made before.
  tell(0, begun, finished('downstream/a', 'hit'));
  tell(1, begun, { type: 'stage-failed', stage: 'downstream/b', failure: { message: 'broken' }, tail: [] });
  const [run] = await listAllRuns(project.dir);
  t.is(run!.status, 'failed');
  t.like(run!.record.counts, { hit: 1, shared: 1, ran: 1, failed: 1, unstarted: 0 });
  const events = await readAllEvents(run!);
  t.deepEqual(
    events.map(({ type }) => type),
    [
      ...['run-started', 'stage-finished', 'stage-waiting', 'stage-started', 'stage-finished'],
      ...['stage-finished', 'stage-failed', 'run-finished'],
    ],
  );

  // The last job writes that down, for those who read the record alone.
  endRun(project.dir, log.id);
  t.like(JSON.parse(project.read(`runs/${log.id}/run.json`)), { status: 'failed', counts: { failed: 1 } });
  t.deepEqual(await readAllEvents((await listAllRuns(project.dir))[0]!), events);
});

test('a run that was watched, and left with Ctrl-C, ends as its jobs do', async (t) => {
  const project = createProject(t, {});
  const log = openRunLog(project.dir, about, { onProblem: t.fail })!;
  const stages = [{ stage: 'tokenizer/a', kind: 'k', status: 'run' as const }];
  log.record({
    ...{ type: 'run-started', experiment: 'rig', file: 'a.ts', overrides: [], store: project.dir },
    ...{ results: '', jobs: 2, engine: 'onnx', stages },
  });
  const none = { hit: 0, ran: 0, shared: 0, failed: 0, skipped: 0, dropped: 0, interrupted: 0 };
  const counts = { ...none, unstarted: 1 };
  log.record({ type: 'run-finished', status: 'interrupted', seconds: 1, counts, files: [] });
  const records = new Records(project.dir);
  const { id, dir } = records.newFolder('rig');
  records.write({
    ...{ format: 1, id, experiment: 'rig', file: '/a.ts', run: log.id, user: 0, submitted: '2026-11-27' },
    flags: { store: project.dir, out: '', engine: 'onnx', retries: 1 },
    tasks: { 0: [{ stage: 'tokenizer/a', key: '0' as InputKey }] },
  });
  const told = { time: '2100-01-01T00:00:00Z', ...finished('tokenizer/a') };
  fs.appendFileSync(eventsOf(dir, 0), `${JSON.stringify(told)}\n`);
  const [run] = await listAllRuns(project.dir);
  t.is(run!.status, 'done');
  t.like((await readAllEvents(run!)).at(-1), { type: 'run-finished', status: 'done', counts: { ran: 1 } });
});

test('a record of a run that submitted nothing is taken back', (t) => {
  const project = createProject(t, {});
  openRunLog(project.dir, about, { onProblem: t.fail })!.discard();
  t.deepEqual(fs.readdirSync(project.file('runs')), []);
});
