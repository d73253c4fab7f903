import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import type { RunEvent, StageProgress } from '../../../../framework/run/record/events.ts';
import {
  hostDigest,
  type LogOptions,
  openRunLog,
  type RunDescription,
} from '../../../../framework/run/record/log.ts';
import { createThinner } from '../../../../framework/run/record/pace.ts';
import { listRuns, readEvents } from '../../../../framework/run/record/records.ts';
import { createProject, type Project } from '../../../support/project.ts';

const about: RunDescription = {
  experiment: 'quick start/2',
  file: 'experiments/quickstart.ts',
  command: ['run', 'experiments/quickstart.ts'],
  stages: 3,
  engine: 'onnx',
  jobs: 2,
  version: '1.2.3',
  git: { commit: '0123456789abcdef', dirty: true },
};
const counts = { hit: 1, ran: 2, shared: 0, failed: 0, skipped: 0, dropped: 0, interrupted: 0, unstarted: 0 };
const finished: RunEvent = { type: 'run-finished', status: 'done', seconds: 7, counts, files: [] };
const started = (stage: string): RunEvent => ({ type: 'stage-started', stage, threads: 1 });

function openLog(project: Project, options: Partial<LogOptions> = {}) {
  const problems: string[] = [];
  const log = openRunLog(project.dir, about, { onProblem: (message) => problems.push(message), ...options });
  return { log: log!, problems, dir: log ? project.file(`runs/${log.id}`) : '' };
}

function types(dir: string): string[] {
  return readEvents(dir).map(({ type }) => type);
}

test('a run that ended is read back as it was recorded', (t) => {
  const project = createProject(t, {});
  const { log, problems, dir } = openLog(project);
  t.regex(log.id, /^\d{8}-\d{6}-quick-start-2-[0-9a-f]{4}$/);
  const events = [started('a'), started('b'), finished];
  for (const event of events) log.record(event);
  log.record(started('late'));
  t.deepEqual(
    readEvents(dir).map(({ time, ...event }) => {
      t.false(Number.isNaN(Date.parse(time)));
      return event;
    }),
    events,
  );
  const [run] = listRuns(project.dir);
  t.is(run!.status, 'done');
  t.like(run!.record, { ...about, id: log.id, seconds: 7, counts, node: process.version });
  t.deepEqual(problems, []);
  t.deepEqual(fs.readdirSync(dir).sort(), ['events.ndjson', 'run.json']);
});

test('runs are listed in the order of their start', (t) => {
  const project = createProject(t, {});
  const ids = ['20260101-000000-z-0000', '20261231-235959-a-ffff', '20260101-000001-a-0000'];
  const { dir } = openLog(project);
  const record = JSON.parse(fs.readFileSync(path.join(dir, 'run.json'), 'utf8'));
  fs.rmSync(dir, { recursive: true });
  for (const id of ids) project.write({ [`runs/${id}/run.json`]: JSON.stringify({ ...record, id }) });
  project.write({ 'runs/20260601-000000-broken-0000/run.json': '{ "format": 1,' });
  project.write({ 'runs/20260601-000000-other-0000/run.json': '{ "format": 2 }' });
  t.deepEqual(
    listRuns(project.dir).map((run) => run.record.id),
    [...ids].sort(),
  );
});

test('a run is running while its process lives and gives signs of life', (t) => {
  const project = createProject(t, {});
  const { log, dir } = openLog(project);
  log.record(started('a'));
  const status = (now?: number) => listRuns(project.dir, now)[0]!.status;
  t.is(status(), 'running');
  // The process of that number may be another one by now, or that of a machine that is gone.
  t.is(status(Date.now() + 3_600_000), 'lost');
  const record = JSON.parse(fs.readFileSync(path.join(dir, 'run.json'), 'utf8'));
  t.is(record.host, hostDigest());
  // No process has this number: Linux and macOS go up to 2^22.
  fs.writeFileSync(path.join(dir, 'run.json'), JSON.stringify({ ...record, pid: 2 ** 22 + 1 }));
  t.is(status(), 'lost');
  fs.writeFileSync(path.join(dir, 'run.json'), JSON.stringify({ ...record, pid: 2 ** 22 + 1, host: 'x' }));
  t.is(status(), 'running', 'of another machine nothing else is known');
});

test('a run that ended and could not say so in its record has ended as its events say', (t) => {
  const project = createProject(t, {});
  const { log, dir } = openLog(project);
  const file = path.join(dir, 'run.json');
  const record = JSON.parse(fs.readFileSync(file, 'utf8'));
  log.record(finished);
  fs.writeFileSync(file, JSON.stringify({ ...record, pid: 2 ** 22 + 1 }));
  const [run] = listRuns(project.dir);
  t.is(run!.status, 'done');
  t.like(run!.record, { status: 'done', seconds: 7, counts });
});

test('whatever is left of the file, all whole lines of it are read', (t) => {
  const project = createProject(t, {});
  const { log, dir } = openLog(project);
  for (const event of [started('a'), started('b'), started('c')]) log.record(event);
  const file = path.join(dir, 'events.ndjson');
  const text = fs.readFileSync(file, 'utf8');
  const lines = text.split('\n');
  for (let length = 0; length <= text.length; length++) {
    fs.writeFileSync(file, text.slice(0, length));
    const whole = lines.filter((_, index) => lines.slice(0, index + 1).join('\n').length <= length);
    t.is(readEvents(dir).length, whole.filter((line) => line !== '').length, `${length} bytes`);
  }
  fs.rmSync(file);
  t.deepEqual(readEvents(dir), []);
});

test('a store that cannot be written costs the record, not the run', (t) => {
  const project = createProject(t, { runs: 'a file where a folder should be' });
  const problems: string[] = [];
  t.is(openRunLog(project.dir, about, { onProblem: (message) => problems.push(message) }), undefined);
  t.snapshot(problems);
});

test('a disk that fills up ends the record with one warning', (t) => {
  const project = createProject(t, {});
  let room = 2;
  const { log, problems, dir } = openLog(project, {
    append(descriptor, line) {
      if (room-- > 0) fs.writeSync(descriptor, line);
      else {
        fs.writeSync(descriptor, line.slice(0, 10));
        throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      }
    },
  });
  for (const stage of ['a', 'b', 'c', 'd']) log.record(started(stage));
  log.record(finished);
  t.snapshot(problems);
  t.is(types(dir).length, 2);
});

const progress = (seconds: number, stage = 'a'): StageProgress => ({
  type: 'stage-progress',
  stage,
  step: Math.round(seconds * 10),
  of: 1000,
  seconds,
});

/** What is kept of a stream, in short. */
function kept(events: readonly RunEvent[]): string[] {
  const thin = createThinner();
  return events
    .flatMap((event) => thin(event))
    .map((event) =>
      event.type === 'stage-progress' ? `${event.stage} ${event.seconds}` : event.type.replace('stage-', ''),
    );
}

test('of progress some is kept, and the last before anything else happens to the stage', (t) => {
  const many = Array.from({ length: 60 }, (_, index) => progress(index / 5));
  const end: RunEvent = { type: 'stage-interrupted', stage: 'a' };
  t.deepEqual(kept([started('a'), ...many, started('b'), end]), [
    'started',
    'a 0',
    'a 5',
    'a 10',
    'started',
    'a 11.8',
    'interrupted',
  ]);
});

test('stages are thinned out each by its own clock, and one that is tried again starts from the beginning', (t) => {
  const retry: RunEvent = {
    type: 'stage-retrying',
    stage: 'a',
    failure: { message: 'it died' },
    tail: [],
    retry: 1,
    of: 1,
  };
  const events = [progress(100), progress(3, 'b'), progress(101), progress(4, 'b'), retry, progress(0.1)];
  t.deepEqual(kept([...events, finished]), [
    'a 100',
    'b 3',
    'a 101',
    'retrying',
    'a 0.1',
    'b 4',
    'run-finished',
  ]);
});

test('of a stage that prints without end the first lines are kept, and that there were more', (t) => {
  const thin = createThinner();
  const line = (stage: string): RunEvent => ({
    type: 'log',
    stage,
    stream: 'stdout',
    text: 'x'.repeat(9000),
  });
  const all = Array.from({ length: 6000 }, () => line('a')).flatMap((event) => thin(event));
  t.is(all.length, 5000);
  t.like(all.at(-1), { text: '(what it printed after this was not kept)' });
  t.is(all[0]!.type === 'log' && all[0].text.length, 2000);
  t.is(thin(line('b')).length, 1);
});
