import test, { type ExecutionContext } from 'ava';
import { checkEngine, resolveEngine } from '../../../framework/cli/engines.ts';
import type { RunEvent } from '../../../framework/run/record/events.ts';
import { createProject } from '../../support/project.ts';

/** A script in the place of the one that tries engines. */
function script(t: ExecutionContext, text: string): string {
  const project = createProject(t, { 'check.mjs': text });
  return project.file('check.mjs');
}

const answer = `process.send({
  works: true,
  name: process.argv[2] === 'auto' ? 'tensorflow' : process.argv[2],
  description: 'threads: ' + (Number(process.argv[3]) > 0),
  difference: 0,
  steps: 5,
  notes: ['on this machine'],
}, undefined, undefined, () => process.exit(0));`;

test('an engine is tried by a process that gets its name and threads', async (t) => {
  const report = await checkEngine('wasm', { script: script(t, answer) });
  t.deepEqual(report, {
    engine: 'wasm',
    works: true,
    name: 'wasm',
    description: 'threads: true',
    difference: 0,
    steps: 5,
    notes: ['on this machine'],
  });
});

test('a process that crashes, ends or never answers is an engine that does not work', async (t) => {
  const problems = [
    await checkEngine('a', {
      script: script(t, 'process.kill(process.pid, "SIGSEGV"); setInterval(() => {}, 1e6);'),
    }),
    await checkEngine('b', {
      script: script(t, 'console.error("first\\nno such device"); process.exit(7);'),
    }),
    // It would wait for ever, so that any patience ends it.
    await checkEngine('c', { script: script(t, 'setInterval(() => {}, 1e6);'), patience: 500 }),
  ];
  t.snapshot(problems);
});

test('an answer counts even if the process crashes while it ends', async (t) => {
  const crash = answer.replace('process.exit(0)', 'process.abort()');
  t.true((await checkEngine('onnx', { script: script(t, crash) })).works);
});

test('auto becomes the engine that was chosen, or onnx with a warning; others are not trained', async (t) => {
  const events: RunEvent[] = [];
  const resolve = (name: string, text: string) =>
    resolveEngine(name, { script: script(t, text) }, (event) => events.push(event));
  t.is(await resolve('auto', answer.replace('steps: 5', 'warnings: []')), 'tensorflow');
  t.is(await resolve('wasm', 'process.exit(1);'), 'wasm');
  t.deepEqual(events, []);
  t.is(await resolve('auto', 'process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1e6);'), 'onnx');
  t.snapshot(events);
});

test('a device that TensorFlow does not see is a warning; a library that is not there is an error of the stages', async (t) => {
  const events: RunEvent[] = [];
  const resolve = (name: string, text: string) =>
    resolveEngine(name, { script: script(t, text) }, (event) => events.push(event));
  const warn = `process.send(
    { works: true, warnings: process.argv[4] === 'open' ? ['steps run on the CPU: no driver'] : [], name: 'tensorflow' },
    () => process.exit(0),
  );`;
  t.is(await resolve('tensorflow:xla', warn), 'tensorflow:xla');
  t.is(await resolve('auto', warn), 'tensorflow');
  t.is(await resolve('tensorflow', 'process.exit(1);'), 'tensorflow');
  t.deepEqual(
    events.map((event) => ('message' in event ? event.message : event.type)),
    ['tensorflow:xla', 'tensorflow'].map(
      (name) => `engine ${name}: steps run on the CPU: no driver; peco-exp doctor shows more`,
    ),
  );
});
