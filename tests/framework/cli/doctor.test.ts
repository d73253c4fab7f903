import test from 'ava';
import { engineNames } from '../../../components/engine/open.ts';
import { diagnose } from '../../../framework/cli/commands/doctor.ts';
import type { EngineReport } from '../../../framework/cli/engines.ts';
import type { Machine } from '../../../framework/cli/text/doctor.ts';
import { formatDoctor } from '../../../framework/cli/text/doctor.ts';
import { engines, findSettings, type ProjectSettings } from '../../../framework/settings/project.ts';
import { createProject, portable } from '../../support/project.ts';

const machine: Machine = {
  version: '1.2.3',
  node: '20.0.0',
  system: 'linux x64',
  cpu: 'Some CPU',
  cores: 8,
  memory: 32,
  freeMemory: 12.5,
};

const settings = (engine: string): ProjectSettings => ({
  root: '/project',
  store: { value: '/project/.peco', from: 'default' },
  results: { value: '/elsewhere/results', from: '--out' },
  engine: { value: engine, from: 'peco.config.ts' },
  jobs: { value: 4, from: 'PECO_JOBS' },
  retries: { value: 1, from: 'default' },
  timeout: { value: '10m', from: '--timeout' },
  executor: { value: 'slurm', from: 'PECO_EXECUTOR' },
});

const working = (engine: string): EngineReport => ({
  engine,
  works: true,
  name: engine,
  description: `${engine} (some-package 1.0.0, 8 threads)`,
  difference: engine === 'reference' ? 0 : 1.79e-7,
  steps: 5,
  notes: engine === 'tensorflow' ? ['device: the CPU', 'XLA: compiles'] : [],
});
const broken = (engine: string): EngineReport => ({
  engine,
  works: false,
  problem: `${engine} is not installed: npm install ${engine}`,
});

test('the diagnosis tells machine, settings with their origins, and engines', (t) => {
  const reports = [working('onnx'), working('reference'), working('wasm'), broken('tensorflow')];
  t.snapshot(formatDoctor(diagnose(machine, settings('onnx'), reports)).join('\n'));
});

test('an engine that is set and does not work is named at the end, with what to do', (t) => {
  const reports = [working('onnx'), broken('tensorflow')];
  const diagnosis = diagnose({ ...machine, cores: 1 }, settings('tensorflow'), reports);
  t.false(diagnosis.healthy);
  t.snapshot(formatDoctor(diagnosis).slice(-3));
});

test('a folder that is no store is named at the end, and is not healthy', (t) => {
  const problem = '/project/.peco is not a store of peco-exp: it has notes.txt\n  choose another';
  const diagnosis = diagnose(machine, settings('onnx'), [working('onnx')], problem);
  t.false(diagnosis.healthy);
  t.snapshot(formatDoctor(diagnosis).slice(-4));
});

test('auto is tensorflow where that works, otherwise onnx, and healthy if that one works', (t) => {
  const ask = (...reports: EngineReport[]) => {
    const { auto, healthy } = diagnose(machine, settings('auto'), reports);
    return [auto, healthy];
  };
  t.deepEqual(ask(working('onnx'), working('tensorflow')), ['tensorflow', true]);
  t.deepEqual(ask(working('onnx'), broken('tensorflow')), ['onnx', true]);
  t.deepEqual(ask(broken('onnx'), broken('tensorflow')), ['onnx', false]);
});

test('a way of an engine works where its own report says so, or else where the engine does', (t) => {
  const healthy = (engine: string, ...reports: EngineReport[]) =>
    diagnose(machine, settings(engine), reports).healthy;
  t.true(healthy('tensorflow:bf16', working('onnx'), working('tensorflow')));
  t.false(healthy('tensorflow:bf16', working('onnx'), broken('tensorflow')));
  t.false(healthy('onnx:webgpu', working('onnx'), broken('onnx:webgpu')));
  t.true(healthy('onnx:webgpu', broken('onnx'), working('onnx:webgpu')));
});

test('the command line offers the engines that there are', (t) => {
  t.deepEqual([...engines].sort(), [...engineNames].sort());
});

test('each setting says where it comes from', async (t) => {
  const project = createProject(t, {
    'package.json': '{ "name": "p", "peco": { "store": "kept", "results": "shown", "engine": "wasm" } }',
  });
  const env = { PECO_RESULTS: 'r', PECO_ENGINE: 'auto' };
  const found = await findSettings(project.dir, {
    flags: { jobs: 2, engine: 'onnx' },
    env,
    cwd: project.dir,
  });
  t.deepEqual(JSON.parse(portable(JSON.stringify(found), project)), {
    root: '<project>',
    store: { value: '<project>/kept', from: 'package.json' },
    results: { value: '<project>/r', from: 'PECO_RESULTS' },
    engine: { value: 'onnx', from: '--engine' },
    jobs: { value: 2, from: '--jobs' },
    retries: { value: 1, from: 'default' },
    timeout: { value: 'none', from: 'default' },
    executor: { value: 'local', from: 'default' },
  });
  const plain = await findSettings(project.dir, { flags: {}, env: {}, cwd: project.dir });
  t.is(plain.jobs.from, 'default');
  t.deepEqual(plain.engine, { value: 'wasm', from: 'package.json' });
});
