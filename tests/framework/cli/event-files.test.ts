import fs from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { EventWriter, reserveEvents } from '../../../framework/cli/event-files.ts';
import type { RunEvent } from '../../../framework/run/record/events.ts';
import { encodeScalar, isSameEvent, parseRecords } from '../../../framework/run/record/tf-record.ts';
import { createProject, type Project } from '../../support/project.ts';

const seconds = Date.UTC(2026, 10, 27) / 1000;
const provenance = { ended: '2026-11-27T00:00:00.000Z' };
const stored = (project: Project, dir: string) => ({ dir: project.file(dir), provenance });

/** A run of the stages `stored` and `live`; looks only when something happens. */
async function openWriter(t: ExecutionContext, files: { readonly [name: string]: string } = {}) {
  const project = createProject(t, {
    'stored/metrics.jsonl': '{"step":25,"loss":4}\n',
    'stored/metrics.json': '{"metrics":{}}',
    ...files,
  });
  const node = (id: string) => ({ id, component: { role: 'tokenizer' } });
  const plan = {
    graph: { experiment: 'e', changes: [] },
    stages: [{ node: node('stored'), entry: stored(project, 'stored') }, { node: node('live') }],
  };
  const problems: unknown[] = [];
  const writer = await EventWriter.open({
    folder: project.file('events'),
    plan: plan as never,
    store: { lookup: async (key: string) => stored(project, key) } as never,
    every: 2 ** 30,
    onProblem: (problem) => problems.push(problem),
  });
  const show = (event: { readonly type: string }) => writer.show({ stage: 'live', ...event } as RunEvent);
  const logs = (file: string) => show({ type: 'stage-logging', file: project.file(file) } as never);
  return { project, plan, writer, show, logs, problems };
}

/** Steps and values of the loss, of all files of a stage in their order; undefined if there is anything else. */
function losses(project: Project, stage: string): (readonly [number, number])[] {
  const dir = project.file(`events/e/${stage}`);
  const events = fs
    .readdirSync(dir)
    .sort()
    .flatMap((name) => parseRecords(fs.readFileSync(path.join(dir, name))).events);
  return events.map((event) => {
    for (let step = 0; step <= 100; step += 25)
      for (const value of [5, 4, 3, 2, 1])
        if (isSameEvent(event, encodeScalar({ step, value, tag: 'tokenizer/loss' }, seconds)))
          return [step, value];
    return [Number.NaN, Number.NaN];
  });
}

test('stages that are stored are there at once, one that runs as it logs, without a line that is being written', async (t) => {
  const { project, writer, logs } = await openWriter(t, {
    'out/metrics.jsonl': '{"step":25,"loss":5}\n{"step":50,"lo',
  });
  logs('out/metrics.jsonl');
  t.deepEqual(await writer.end(), [
    project.file('events/e/stored/events.out.tfevents.peco-exp'),
    project.file('events/e/live/events.out.tfevents.peco-exp'),
  ]);
  t.deepEqual(losses(project, 'stored'), [[25, 4]]);
  t.deepEqual(losses(project, 'live'), [[25, 5]]);
});

test('a stage that is tried again keeps its curve until it has come further, and one that fails to the end', async (t) => {
  const { project, writer, show, logs, problems } = await openWriter(t, {
    'first/metrics.jsonl': '{"step":25,"loss":5}\n{"step":50,"loss":4}\n',
    'work/metrics.jsonl': '{"step":25,"loss":5}\n{"step":50,"loss":4}\n{"step":75,"loss":3}\n',
    'second/metrics.jsonl': '{"step":25,"loss":5}\n',
  });
  logs('first/metrics.jsonl');
  logs('work/metrics.jsonl');
  logs('second/metrics.jsonl');
  logs('missing/metrics.jsonl');
  show({ type: 'stage-failed' });
  await writer.end();
  t.deepEqual(losses(project, 'live'), [
    [25, 5],
    [50, 4],
    [75, 3],
  ]);
  t.deepEqual(problems, []);
});

test('a stage that ends has what is stored, and nothing twice', async (t) => {
  const { project, writer, show, logs } = await openWriter(t, {
    'out/metrics.jsonl': '{"step":25,"loss":5}\n{"step":50,"loss":4}\n',
    'key/metrics.jsonl': '{"step":25,"loss":5}\n{"step":50,"loss":4}\n{"step":75,"loss":3}\n',
    'key/metrics.json': '{"metrics":{}}',
  });
  logs('out/metrics.jsonl');
  show({ type: 'stage-finished', contentKey: 'key' } as never);
  show({ type: 'stage-finished', contentKey: 'key' } as never);
  await writer.end();
  t.deepEqual(losses(project, 'live'), [
    [25, 5],
    [50, 4],
    [75, 3],
  ]);
});

test('two commands do not write into one folder', async (t) => {
  const { project, plan, writer } = await openWriter(t);
  const error = await t.throwsAsync(reserveEvents(project.file('events'), plan as never));
  t.like(error, { code: 'results-in-use' });
  await writer.end();
  const release = await reserveEvents(project.file('events'), plan as never);
  await release();
});

test('event files that can no longer be written are one warning', async (t) => {
  const { project, writer, logs, problems } = await openWriter(t, {
    'out/metrics.jsonl': '{"step":25,"loss":5}\n',
    // Where the folder of its event file should be.
    'events/e/live': 'a file of the user',
  });
  logs('out/metrics.jsonl');
  logs('out/metrics.jsonl');
  await writer.end();
  const place = project.file('events');
  t.deepEqual(problems, [
    {
      message: `event files can't be written to ${place}: ${place}/e/live is a file, where a folder should be; the run goes on without them`,
      hint: 'once it has ended, `peco-exp report FILE --tensorboard DIR` writes all of them',
    },
  ]);
});
