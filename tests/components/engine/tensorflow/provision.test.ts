import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import {
  formatTensorflow,
  parseCards,
  type TensorflowFacts,
  warnOfCpu,
} from '../../../../components/engine/tensorflow/describe.ts';
import type { LibraryRecord, LocatedTensorflow } from '../../../../components/engine/tensorflow/place.ts';
import { libraryFolder, locateTensorflow } from '../../../../components/engine/tensorflow/place.ts';
import { catalogues, isWanted, sumOf } from '../../../../components/engine/tensorflow/provision/catalogue.ts';
import { ProvisionError } from '../../../../components/engine/tensorflow/provision/download.ts';
import { explainDriver } from '../../../../components/engine/tensorflow/provision/driver.ts';
import { refusePlatform, thisPlatform } from '../../../../components/engine/tensorflow/provision/platform.ts';
import {
  type ProvisionOptions,
  provision,
} from '../../../../components/engine/tensorflow/provision/provision.ts';
import { formatOutlook } from '../../../../components/engine/tensorflow/provision/text.ts';
import { portable, repository } from '../../../support/project.ts';
import { isAlive, until } from '../../../support/rig.ts';
import { createFakeTools, type FakeTools } from './support/fake-tools.ts';

/** Provisions from the fake registry. Returns what the user reads, the error at its end. */
async function provide(fake: FakeTools, options: Partial<ProvisionOptions> = {}): Promise<string> {
  const lines: string[] = [];
  const { env, catalogue } = fake;
  try {
    await provision({
      variant: 'gpu',
      confirm: async () => true,
      say: (line) => void lines.push(line),
      env,
      catalogue,
      platform: { os: 'linux', arch: 'x64', glibc: '2.36' },
      driver: '535.104.05',
      tryIt: async () => ({ works: true, version: '2.21.0', gpu: true }),
      ...options,
    });
  } catch (error) {
    if ((error as Error).name !== 'ProvisionError') throw error;
    lines.push(`error: ${(error as Error).message}`);
  }
  return portable(lines.join('\n'), fake);
}

const located = (t: ExecutionContext, { env }: FakeTools) => {
  const found = locateTensorflow(env);
  if ('missing' in found) t.fail(found.missing);
  return found as LocatedTensorflow & { readonly from: { readonly record: LibraryRecord } };
};

test('a library is downloaded, unpacked as far as it is needed, built and loaded; a second call only loads it', async (t) => {
  const fake = createFakeTools(t);
  t.like(locateTensorflow(fake.env), { remedy: 'peco-exp provision tensorflow' });
  t.snapshot(await provide(fake));
  t.deepEqual(fake.takeCalls(), [
    'pip tensorflow==1.0',
    'pip nvidia-cublas-cu12==1.0',
    'npm tfjs-node@1.0',
    'npm node-api-headers@1.0',
    'g++',
  ]);
  t.deepEqual(
    fs
      .readdirSync(fake.file('library'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)
      .sort(),
    [
      'License.txt',
      'c_api.h',
      'libcublas.so.12',
      'library.json',
      'libtensorflow_cc.so.2',
      'libtensorflow_framework.so.2',
      'ptxas',
      'tfjs_binding.node',
    ],
  );
  t.is(fake.read('library/nvidia/cublas/lib/libcublas.so.12'), 'products');
  t.is(fs.statSync(fake.file('library/nvidia/cuda_nvcc/bin/ptxas')).mode & 0o111, 0o111);
  const { addon, from } = located(t, fake);
  t.is(addon, fake.file('library/tfjs_binding.node'));
  t.like(from.record, { tensorflow: '2.21.0', variant: 'gpu', cuda: '12.5' });
  t.snapshot(await provide(fake), 'again');
  t.deepEqual(fake.takeCalls(), []);
});

test('what is finished stays when a download fails, and is not fetched again', async (t) => {
  const fake = createFakeTools(t);
  const cublas = fs.readFileSync(fake.file(`registry/nvidia-cublas-cu12/${fake.catalogue.wheels[1].file}`));
  fake.withdraw('nvidia-cublas-cu12');
  t.snapshot((await provide(fake)).split('\n').slice(5).join('\n'));
  t.deepEqual(fake.takeCalls(), ['pip tensorflow==1.0', 'pip nvidia-cublas-cu12==1.0']);
  t.like(locateTensorflow(fake.env), { remedy: 'peco-exp provision tensorflow --gpu' });
  t.regex(await provide(fake, { variant: 'cpu' }), /library has the library for GPUs: add --gpu, or set/);
  fake.publish('nvidia-cublas-cu12', cublas);
  t.regex(await provide(fake), /1 kB that are left of 2 kB.*1\/1 {2}nvidia-cublas-cu12 1\.0.*is ready/s);
  t.is(fake.takeCalls()[0], 'pip nvidia-cublas-cu12==1.0');
  t.is(located(t, fake).from.record.variant, 'gpu');
});

test('a file that was brought into the folder of downloads is used', async (t) => {
  const fake = createFakeTools(t);
  const { file } = fake.catalogue.wheels[0];
  fs.mkdirSync(fake.file('library/downloads'), { recursive: true });
  fs.copyFileSync(fake.file(`registry/tensorflow/${file}`), fake.file(`library/downloads/${file}`));
  await provide(fake);
  t.is(fake.takeCalls()[0], 'pip nvidia-cublas-cu12==1.0');
  t.is(fake.read('library/tensorflow/libtensorflow_cc.so.2'), 'library');
});

test('a damaged download is fetched again, and refused and deleted if it comes damaged', async (t) => {
  const fake = createFakeTools(t);
  const { file, bytes } = fake.catalogue.wheels[0];
  fake.write({ [`library/downloads/${file}`]: 'half' });
  const good = fs.readFileSync(fake.file(`registry/tensorflow/${file}`));
  fake.publish('tensorflow', Buffer.alloc(bytes, 1));
  t.snapshot(
    (await provide(fake))
      .split('\n')
      .slice(5)
      .join('\n')
      .replace(/\b[0-9a-f]{12}\b/g, '<digest>'),
  );
  t.deepEqual(fs.readdirSync(fake.file('library/downloads')), []);
  t.false(fs.existsSync(fake.file('library/tensorflow')));
  fake.publish('tensorflow', good);
  await provide(fake);
  t.is(located(t, fake).folder, fake.file('library'));
});

test('a library that was damaged afterwards is noticed, and only what is damaged is fetched again', async (t) => {
  const fake = createFakeTools(t);
  await provide(fake);
  fake.takeCalls();
  fs.appendFileSync(fake.file('library/nvidia/cublas/lib/libcublas.so.12'), '!');
  t.deepEqual(locateTensorflow(fake.env), {
    missing: `TensorFlow in ${fake.file('library')} is damaged: nvidia/cublas/lib/libcublas.so.12 has 9 bytes instead of 8`,
    remedy: 'peco-exp provision tensorflow --gpu',
  });
  await provide(fake);
  t.deepEqual(fake.takeCalls().slice(0, 2), ['pip nvidia-cublas-cu12==1.0', 'npm tfjs-node@1.0']);
  fs.rmSync(fake.file('library/tfjs_binding.node'));
  await provide(fake);
  t.deepEqual(fake.takeCalls(), ['npm tfjs-node@1.0', 'npm node-api-headers@1.0', 'g++']);
  t.is(fake.read('library/nvidia/cublas/lib/libcublas.so.12'), 'products');
});

test('other platforms are refused by name before anything starts', async (t) => {
  const platforms = [
    { os: 'darwin', arch: 'arm64' },
    { os: 'win32', arch: 'x64' },
    { os: 'freebsd', arch: 'x64' },
    { os: 'linux', arch: 'arm64', glibc: '2.36' },
    { os: 'linux', arch: 'x64' },
    { os: 'linux', arch: 'x64', glibc: '2.17' },
  ];
  t.snapshot(platforms.map(refusePlatform));
  for (const glibc of ['2.27', '2.39', '3.0'])
    t.is(refusePlatform({ os: 'linux', arch: 'x64', glibc }), undefined);
  const fake = createFakeTools(t);
  t.regex(await provide(fake, { platform: platforms[0] }), /^error: .* and this is macOS/);
  t.false(fs.existsSync(fake.file('library')));
});

test('missing tools are listed with remedies, and nothing is done without a yes', async (t) => {
  const fake = createFakeTools(t);
  t.snapshot(await provide(fake, { env: { ...fake.env, PATH: fake.file('nowhere') } }));
  const text = await provide(fake, { confirm: async () => false });
  t.regex(text, /^TensorFlow 2\.21\.0 for GPUs/);
  t.false(fs.existsSync(fake.file('library')));
  t.deepEqual(fake.takeCalls(), []);
});

test('a build that fails and a library that does not load are errors, and the build is tried again', async (t) => {
  const fake = createFakeTools(t);
  fake.write({ broken: '' });
  const ends = [(await provide(fake)).split('\n').slice(8)];
  fake.remove('broken');
  fake.takeCalls();
  const problem = 'Error: libstdc++.so.6: version `GLIBCXX_3.4.29` not found';
  ends.push((await provide(fake, { tryIt: async () => ({ works: false, problem }) })).split('\n').slice(5));
  t.deepEqual(fake.takeCalls(), ['g++']);
  t.snapshot(ends);
});

test('the command line starts nothing without a terminal and without --yes', async (t) => {
  const fake = createFakeTools(t);
  const script = path.join(repository, 'bin/peco-exp.js');
  const options = { cwd: fake.dir, env: fake.env };
  const ended = promisify(execFile)(process.execPath, [script, 'provision', 'tensorflow', '--gpu'], options);
  const { code, stderr } = await t.throwsAsync<Error & { readonly code: number; readonly stderr: string }>(
    ended,
  );
  t.is(code, 2);
  t.is(
    stderr,
    `${refusePlatform(thisPlatform()) ?? 'there is no terminal to ask whether to go on: add --yes'}\n`,
  );
  t.false(fs.existsSync(fake.file('library')));
  t.deepEqual(fake.takeCalls(), []);
});

test('two calls at once: the second names the first; one that has died is no hindrance', async (t) => {
  const fake = createFakeTools(t);
  fake.write({ 'library/provision.lock': `${process.pid} ${os.hostname()}` });
  const text = await provide(fake);
  t.true(text.includes(`process ${process.pid} on ${os.hostname()} is provisioning <project>/library`), text);
  // No process has this number.
  fake.write({ 'library/provision.lock': `${2 ** 30} ${os.hostname()}` });
  t.regex(await provide(fake), /is ready/);
  t.false(fs.existsSync(fake.file('library/provision.lock')));
});

test('a folder that is a file, a disk that is full and a network that is away are what is lacking, not failures', async (t) => {
  const fake = createFakeTools(t);
  fake.write({ taken: '' });
  const kindOf = async (env: NodeJS.ProcessEnv) => {
    const common = { variant: 'gpu', confirm: async () => true, say: () => {}, driver: undefined } as const;
    const platform = { os: 'linux', arch: 'x64', glibc: '2.36' };
    const ended = provision({ ...common, platform, catalogue: fake.catalogue, env });
    const { kind, message } = await t.throwsAsync(ended, { instanceOf: ProvisionError });
    return `${kind}: ${portable(message, fake)}`;
  };
  const full = {
    'bin/python3':
      '#!/bin/sh\ncase "$*" in *--version*) exit 0 ;; esac\necho "OSError: [Errno 28] No space left on device" >&2; exit 1\n',
  };
  const kinds = [await kindOf({ ...fake.env, PECO_TENSORFLOW: fake.file('taken/library') })];
  fake.withdraw('node-api-headers');
  kinds.push(await kindOf(fake.env));
  fake.write({ ...full, 'library/library.json': '{}' });
  kinds.push(await kindOf(fake.env));
  t.snapshot(kinds);
});

test('wheels that were brought need no pip', async (t) => {
  const fake = createFakeTools(t);
  for (const { name, file } of fake.catalogue.wheels) {
    fs.mkdirSync(fake.file('library/downloads'), { recursive: true });
    fs.copyFileSync(fake.file(`registry/${name}/${file}`), fake.file(`library/downloads/${file}`));
  }
  fake.write({ 'bin/python3': '#!/bin/sh\nexit 1\n' });
  t.regex(await provide(fake), /: two small ones by npm\n.*is ready/s);
  t.deepEqual(fake.takeCalls(), ['npm tfjs-node@1.0', 'npm node-api-headers@1.0', 'g++']);
});

test('a lock whose process number was used again is no hindrance', async (t) => {
  const fake = createFakeTools(t);
  // This process runs, but began at another time.
  fake.write({ 'library/provision.lock': `${process.pid} ${os.hostname()} 1` });
  t.regex(await provide(fake), /is ready/);
});

const here = refusePlatform(thisPlatform()) === undefined ? test : test.skip;

here('what the command line has started ends with it, and its lock goes', async (t) => {
  const fake = createFakeTools(t);
  const asked = 'case "$*" in *--version*) exit 0 ;; esac';
  fake.write({ 'bin/python3': `#!/bin/sh\n${asked}\necho $$ > "$FAKE/pid"\nexec sleep 100\n` });
  const script = path.join(repository, 'bin/peco-exp.js');
  const child = spawn(process.execPath, [script, 'provision', 'tensorflow', '--yes'], {
    cwd: fake.dir,
    env: fake.env,
    stdio: 'ignore',
  });
  await until(() => fs.existsSync(fake.file('pid')) && fake.read('pid').endsWith('\n'));
  const pid = Number(fake.read('pid'));
  t.true(isAlive(pid));
  child.kill('SIGKILL');
  await until(() => !isAlive(pid) && !fs.existsSync(fake.file('library/provision.lock')));
  t.pass();
});

test('what will be done is said with size and time, and what a GPU needs', (t) => {
  const common = { folder: '/home/me/library', unusedGpu: false };
  const cpu = catalogues.cpu;
  t.snapshot([
    formatOutlook({
      ...common,
      variant: 'cpu',
      catalogue: cpu,
      rest: [...cpu.wheels, cpu.addon, cpu.headers],
    }),
    formatOutlook({ ...common, variant: 'cpu', catalogue: cpu, rest: [cpu.headers], unusedGpu: true }),
    ...[undefined, '470.57.02'].map((driver) =>
      formatOutlook({
        ...common,
        variant: 'gpu',
        catalogue: catalogues.gpu,
        rest: catalogues.gpu.wheels,
        noGpu: explainDriver(driver)!,
      }).slice(-2),
    ),
  ]);
  t.is(explainDriver('525.60.13'), undefined);
});

test('the pinned wheels are those of one version for x86-64, and what is wanted of them has no surprises', (t) => {
  for (const { wheels, tensorflow } of Object.values(catalogues)) {
    t.is(wheels[0].version, tensorflow);
    for (const { file, name, version, sha256 } of wheels) {
      t.true(file.startsWith(`${name.replaceAll('-', '_')}-${version}-`), file);
      t.regex(file, /x86_64\.whl$/);
      t.regex(sha256, /^[0-9a-f]{64}$/);
    }
  }
  t.true(sumOf(catalogues.gpu.wheels) > 3e9);
  const wanted = ['nvidia/cudnn/lib/libcudnn.so.9', 'nvidia/cuda_nvcc/nvvm/libdevice/libdevice.10.bc'];
  const unwanted = ['nvidia/cudnn/include/cudnn.h', 'nvidia/nccl/lib/libnccl_device.bc', '../lib/x.so'];
  t.deepEqual([...wanted, ...unwanted].filter(isWanted), wanted);
});

test('doctor tells library, device, XLA and bfloat16, with remedies', (t) => {
  const record = { tensorflow: '2.21.0', variant: 'gpu', cuda: '12.5', packages: {} } as const;
  const { cuda: _, ...cpu } = record;
  const at = (from: LocatedTensorflow['from']) => ({ addon: '/lib/tfjs_binding.node', folder: '/lib', from });
  const gpu = { library: at({ record }), cards: [], xla: { difference: 1.2e-7 } };
  const cards = parseCards('NVIDIA H100 80GB HBM3, 81559, 9.0\nTesla V100-SXM2-16GB, 16384, 7.0\n');
  const driver = '580.159.04';
  const machines: readonly TensorflowFacts[] = [
    { ...gpu, usesGpu: true, driver, cards: cards.slice(0, 1), bf16: [] },
    { ...gpu, usesGpu: true, driver, cards, bf16: [], xla: { problem: "XLA can't compile it" } },
    { ...gpu, usesGpu: true, driver, bf16: ['avx512_bf16'] },
    { ...gpu, usesGpu: false, bf16: ['avx512_bf16', 'amx_bf16'] },
    { ...gpu, usesGpu: false, driver: '470.57.02', bf16: [] },
    { ...gpu, usesGpu: false, driver, cards, visible: '-1', bf16: [] },
    { ...gpu, usesGpu: false, driver, cards, visible: '0,1', bf16: [] },
    { ...gpu, library: at({ record: { ...cpu, variant: 'cpu' } }), usesGpu: false, driver, bf16: [] },
    { ...gpu, library: at({ package: 'tfjs-node 4.22.0' }), usesGpu: false, bf16: [] },
    { ...gpu, library: at({ own: true }), usesGpu: false, bf16: [] },
  ];
  t.snapshot(machines.map(formatTensorflow));
  // A run says it first where CUDA was wanted.
  const warned = machines.map(warnOfCpu);
  t.deepEqual(
    warned.map((warning) => warning !== undefined),
    [false, false, false, true, true, true, true, false, false, false],
  );
  t.regex(warned[3]!, /^steps run on the CPU: this machine has no NVIDIA driver/);
});

test('a folder of the user without a record is taken as it is', (t) => {
  const fake = createFakeTools(t);
  fake.write({ 'library/tfjs_binding.node': 'addon' });
  t.deepEqual(located(t, fake).from, { own: true });
  fake.write({ 'library/library.json': '{}' });
  t.like(locateTensorflow(fake.env), { remedy: 'peco-exp provision tensorflow' });
});

test('the folder is that of PECO_TENSORFLOW, or one in the cache of the user', (t) => {
  t.is(libraryFolder('gpu', { PECO_TENSORFLOW: '/a/b', HOME: '/home/me' }), '/a/b');
  t.is(libraryFolder('gpu', { HOME: '/home/me' }), '/home/me/.cache/peco-exp/tensorflow-2.21.0-gpu');
  t.is(libraryFolder('cpu', { XDG_CACHE_HOME: '/c' }), '/c/peco-exp/tensorflow-2.21.0-cpu');
});
