import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { transform } from 'esbuild';
import { createProject, type Project, repository } from '../support/project.ts';

const parts = [
  'bin',
  'components',
  'framework',
  'reports',
  'index.ts',
  'kit.ts',
  'package.json',
  'tsconfig.json',
];

/** A clone of this repository with its packages installed, but nothing built. */
function cloneRepository(t: ExecutionContext): Project {
  const project = createProject(t, {});
  fs.rmSync(project.file('node_modules'), { recursive: true });
  fs.symlinkSync(path.join(repository, 'node_modules'), project.file('node_modules'));
  for (const part of parts) {
    const filter = (file: string) => fs.statSync(file).isDirectory() || /\.(ts|m?js|json|css)$/.test(file);
    fs.cpSync(path.join(repository, part), project.file(part), { recursive: true, filter });
  }
  return project;
}

async function launch(project: Project, ...args: string[]): Promise<string> {
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [project.file('bin/peco-exp.js'), ...args]);
  return stdout;
}

test('in a clone the launcher builds what is missing, and again when a source was edited', async (t) => {
  const clone = cloneRepository(t);
  const { version } = JSON.parse(clone.read('package.json'));
  t.is((await launch(clone, '--version')).trim(), version);
  const built = fs.statSync(clone.file('dist/cli.js')).mtimeMs;
  await launch(clone, '--version');
  t.is(fs.statSync(clone.file('dist/cli.js')).mtimeMs, built, 'nothing was edited, nothing is built');
  clone.edit('framework/cli/program.ts', 'Runs experiments', 'Carries out experiments');
  t.true((await launch(clone, '--help')).includes('Carries out experiments'));
});

test('several processes may build at once', async (t) => {
  const clone = cloneRepository(t);
  const versions = await Promise.all([1, 2, 3].map(() => launch(clone, '--version')));
  t.is(new Set(versions).size, 1);
  t.deepEqual(
    fs.readdirSync(clone.file('dist')).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('without sources the launcher takes what was built', async (t) => {
  const clone = cloneRepository(t);
  await launch(clone, '--version');
  // A published package: the sources of components are in it, the compiler's settings are not.
  fs.rmSync(clone.file('tsconfig.json'));
  fs.rmSync(clone.file('framework'), { recursive: true });
  t.regex(await launch(clone, '--version'), /^\d+\.\d+\.\d+/);
});

test('components of the built library know where their code is', async (t) => {
  const clone = cloneRepository(t);
  await launch(clone, '--version');
  const library = await import(pathToFileURL(clone.file('dist/index.js')).href);
  const { implementation } = library.fashionMnist({ split: 'test' });
  t.is(implementation.load, pathToFileURL(clone.file('components/data/readers/fashion-mnist/load.ts')).href);
});

for (const command of [['run', 'experiment.ts'], ['plan', 'experiment.ts'], ['show']]) {
  test(`in a folder that was deleted, ${command[0]} says so in a sentence`, async (t) => {
    const project = createProject(t, { 'gone/file': '' });
    const script = path.join(repository, 'bin/peco-exp.js');
    const run = promisify(execFile)(
      'sh',
      ['-c', 'rm -r "$PWD"; exec "$@"', 'sh', process.execPath, script, ...command],
      { cwd: project.file('gone') },
    );
    const { code, stdout, stderr } = await t.throwsAsync<
      Error & { code: number; stdout: string; stderr: string }
    >(run);
    t.is(code, 2);
    t.is(stdout, '');
    t.is(stderr, 'the current folder is gone: it was deleted or moved away\n  change to another one (cd)\n');
  });
}

const launcher = path.join(repository, 'bin/peco-exp.js');

test('a Node that is too old gets one sentence', async (t) => {
  const { engines } = JSON.parse(fs.readFileSync(path.join(repository, 'package.json'), 'utf8'));
  const project = createProject(t, {});
  const run = (version: string) => {
    const pretend = `Object.defineProperty(process.versions, 'node', { value: '${version}' });`;
    project.write({ 'pretend.cjs': pretend });
    const args = ['--require', project.file('pretend.cjs'), launcher, '--version'];
    return promisify(execFile)(process.execPath, args).catch((error) => error);
  };
  for (const version of ['12.22.12', '18.20.8', '20.18.3']) {
    const { code, stderr } = await run(version);
    t.is(code, 2);
    t.is(stderr, `peco-exp needs Node ${engines.node.slice(2)} or newer, and this is Node ${version}\n`);
  }
  for (const version of ['20.19.0', '22.0.0']) t.is((await run(version)).stderr, '');
});

test('Ctrl-C before the command line listens is answered in JSON where that was asked for', async (t) => {
  // As soon as anything listens, and before.
  const project = createProject(t, {
    'heard.cjs': `const { on } = process;
      process.on = (event, listen) => {
        on.call(process, event, listen);
        if (event === 'SIGINT') process.emit(event);
      };`,
    'early.cjs': `process.kill(process.pid, 'SIGINT');`,
  });
  const run = (script: string, ...args: string[]) =>
    promisify(execFile)(process.execPath, ['--require', project.file(script), launcher, ...args]).catch(
      (error: Error & { code: number; signal: string | null; stdout: string }) => error,
    );
  const asked = await run('heard.cjs', 'show', '--json');
  t.like(asked, { code: 130 });
  t.deepEqual(JSON.parse(asked.stdout).error, {
    ...{ code: 'interrupted', message: 'interrupted before there was an answer' },
    ...{ hint: null, location: null, problems: [] },
  });
  const { stdout, ...other } = await run('early.cjs', 'show');
  t.is(stdout, '');
  t.like(other, { signal: 'SIGINT' });
});

test('an old Node can read the launcher', async (t) => {
  const text = fs.readFileSync(launcher, 'utf8');
  const [old, now] = await Promise.all(
    ['node12.20', 'esnext'].map((target) => transform(text, { target, loader: 'js' })),
  );
  t.is(old?.code, now?.code);
  t.notRegex(text.slice(0, text.indexOf('function launch')), /require\('node:/);
});
