import test from 'ava';
import { schemas } from '../../framework/cli/json/schemas.ts';
import { type Project, repository } from '../support/project.ts';
import { createRig } from '../support/rig.ts';

/** Without what differs between machines: versions, threads, cores, memory, rounding, whether WebGPU finds a device. */
function masked(text: string, project: Project): string {
  return (
    text
      .replaceAll(project.dir, '<project>')
      .replaceAll(repository, '<repository>')
      .replaceAll(/\d+ threads?/g, '<n> threads')
      .replaceAll(/\d+ cores? \(.*?\), [\d.]+ GiB of memory, [\d.]+ free/g, '<machine>')
      .replaceAll(/\b(aix|android|darwin|freebsd|linux|openbsd|sunos|win32) \w+$/gm, '<system>')
      .replaceAll(/\d+\.\d+\.\d+/g, '<version>')
      .replaceAll(/differ by \S+/g, 'differ by <rounding>')
      .replaceAll(/^( {2}jobs +)\d+ +/gm, '$1<n>  ')
      // Columns are as wide as the folders' names.
      .replaceAll(/(\S) {2,}/g, '$1  ')
      .replaceAll(/^ {2}(no|works) +onnx(:| .*)webgpu.*\n( {9}.*\n)*/gim, '')
  );
}

test('doctor tries every engine and tells the settings with their origins', async (t) => {
  const rig = createRig(t, { 'peco.config.json': '{ "engine": "reference", "store": "kept" }' });
  const { code, stdout, stderr } = await rig.peco('doctor', '--out', 'shown');
  t.is(stderr, '');
  t.is(code, 0, stdout);
  t.snapshot(masked(stdout, rig));
});

/** Ends the processes that try these engines, as a native library does that doesn't fit the machine. */
const crash = {
  'crash.cjs':
    "if (/engine-check/.test(process.argv[1]) && ['tensorflow', 'auto'].includes(process.argv[2])) process.abort();",
};

test('a library that crashes is named, and is no engine for auto', async (t) => {
  const rig = createRig(t, crash, (project) => ({
    NODE_OPTIONS: `--require ${JSON.stringify(project.file('crash.cjs'))}`,
  }));
  const { code, stdout } = await rig.peco('doctor', '--engine', 'tensorflow');
  t.is(code, 1);
  t.regex(stdout, /no {5}tensorflow\n +its process ended by SIGABRT/);
  t.regex(stdout, /It does not work/);
  const run = await rig.peco('run', 'experiment.ts', '--upto', 'tokenizer/peco', '--engine', 'auto');
  t.is(run.code, 0, run.stdout);
  t.regex(run.stdout, /warning: engine auto: its process ended by SIGABRT.*Using onnx/);
  const dir = `.peco/entries/${rig.entries()[0]}`;
  t.is(JSON.parse(rig.read(`${dir}/outputs/metrics.json`)).engine, 'onnx');
});

test('auto is the engine that doctor says, and results name it', async (t) => {
  const rig = createRig(t);
  const { code, stdout } = await rig.peco('doctor', '--engine', 'auto', '--json');
  t.is(code, 0, stdout);
  t.is(schemas.doctor.safeParse(JSON.parse(stdout)).error?.message, undefined, stdout);
  const { auto, healthy, engines, settings } = JSON.parse(stdout);
  t.deepEqual([auto, healthy], ['onnx', true]);
  t.deepEqual(settings.engine, { value: 'auto', from: '--engine' });
  t.deepEqual(
    engines
      .filter(({ engine }: { engine: string }) => engine !== 'onnx:webgpu')
      .map(({ engine, works }: { engine: string; works: boolean }) => [engine, works]),
    ['onnx', 'reference', 'wasm', 'tensorflow'].map((name) => [name, name !== 'tensorflow']),
  );
  await rig.peco('run', 'experiment.ts', '--upto', 'tokenizer/peco', '--engine', 'auto');
  const dir = `.peco/entries/${rig.entries()[0]}`;
  t.is(JSON.parse(rig.read(`${dir}/outputs/metrics.json`)).engine, 'onnx');
  t.is(JSON.parse(rig.read(`${dir}/manifest.json`)).provenance.engine, 'onnx');
});

test('settings that cannot be are refused before anything is tried', async (t) => {
  const rig = createRig(t);
  const { code, stdout, stderr } = await rig.peco('doctor', '--engine', 'tensorflo');
  t.is(code, 2);
  t.is(stdout, '');
  t.snapshot(stderr);
});
