import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { createProject } from '../../support/project.ts';
import { fakeTensorflow } from './support/fake-tensorflow.ts';

const script = fileURLToPath(new URL('./support/open-in-child.ts', import.meta.url));

interface Opened {
  readonly name?: string;
  readonly description?: string;
  readonly difference?: number;
  readonly message?: string;
  readonly [more: string]: unknown;
}

/** Opens the engine in a process whose folder has these packages. */
async function openWith(
  t: ExecutionContext,
  engine: string,
  ...packages: readonly { readonly [file: string]: string }[]
): Promise<Opened> {
  const project = createProject(t, Object.assign({}, ...packages));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [`--import=${import.meta.resolve('tsx')}`, script, engine],
    { cwd: project.dir, env: { ...process.env, XDG_CACHE_HOME: project.file('cache'), PECO_TENSORFLOW: '' } },
  );
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Opened;
}

test('a package that works is used, and what it changes for others is put back', async (t) => {
  const opened = await openWith(t, 'tensorflow', fakeTensorflow('works'));
  t.like(opened, { name: 'tensorflow', leaked: 0, backend: true, noise: true });
  t.is(opened.description, 'tensorflow (tfjs-node 4.22.0, TensorFlow 2.9.1, CPU, 2 threads)');
  // Its kernels are the reference's.
  t.is(opened.difference, 0);
  t.true((opened.others as number) < 1e-5);
});

test('of two packages the one for GPUs comes first, and the other if that does not load', async (t) => {
  const gpu = '@tensorflow/tfjs-node-gpu';
  const both = await openWith(t, 'tensorflow', fakeTensorflow('works'), fakeTensorflow('works', gpu));
  t.regex(both.description!, /\(tfjs-node-gpu 4\.22\.0/);
  const broken = await openWith(t, 'tensorflow', fakeTensorflow('works'), fakeTensorflow('no binding', gpu));
  t.regex(broken.description!, /\(tfjs-node 4\.22\.0/);
});

test('auto takes tensorflow if it trains as the reference does, otherwise onnx', async (t) => {
  t.is((await openWith(t, 'auto', fakeTensorflow('works'))).name, 'tensorflow');
  for (const behaviour of ['wrong', 'no binding'] as const) {
    const opened = await openWith(t, 'auto', fakeTensorflow(behaviour));
    t.is(opened.name, 'onnx', behaviour);
  }
  t.is((await openWith(t, 'auto')).name, 'onnx');
});

test('why tensorflow cannot be had is said with the remedy', async (t) => {
  const messages = [await openWith(t, 'tensorflow')];
  for (const behaviour of ['no binding', 'other core', 'no backend'] as const)
    messages.push(await openWith(t, 'tensorflow', fakeTensorflow(behaviour)));
  t.snapshot(messages);
});
