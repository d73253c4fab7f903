import { execFile, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { createProject, type Project, repository } from '../../support/project.ts';

const execute = promisify(execFile);

// Only npm knows which registry it is set up for.
export const isReachable = spawnSync('npm', ['view', 'zod', 'version'], { timeout: 60_000 }).status === 0;

const notCopied = new Set(['node_modules', 'dist', '.git', '.peco', 'results']);

/** Packs a copy of the repository, from nothing that is built. Returns the path of the tarball. */
export async function packRepository(t: ExecutionContext): Promise<string> {
  const clone = createProject(t, {});
  clone.remove('node_modules');
  clone.remove('package.json');
  for (const name of fs.readdirSync(repository).filter((one) => !notCopied.has(one) && !one.endsWith('.tgz')))
    fs.cpSync(path.join(repository, name), clone.file(name), { recursive: true });
  fs.symlinkSync(path.join(repository, 'node_modules'), clone.file('node_modules'));
  await execute('npm', ['run', '--silent', 'package'], { cwd: clone.dir });
  return clone.file(fs.readdirSync(clone.dir).find((name) => name.endsWith('.tgz'))!);
}

const installers = {
  npm: ['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'],
  // Fetched by npm: as a dependency it would bring a binary for each platform.
  pnpm: ['npx', '--yes', 'pnpm@12', 'add', '--ignore-scripts', '--prefer-offline'],
} as const;

export type Installer = keyof typeof installers;

/** A project of these files in which the tarball is installed, as the guide says: beside zod. */
export async function installInto(
  t: ExecutionContext,
  { files, tarball, by }: { files: { [name: string]: string }; tarball: string; by: Installer },
): Promise<Project> {
  const project = createProject(t, files);
  project.remove('node_modules');
  const [command, ...args] = installers[by];
  await execute(command, [...args, tarball, 'zod'], { cwd: project.dir });
  return project;
}

/** Runs the installed peco-exp; returns what it prints. */
export async function runInstalled(
  project: Project,
  args: readonly string[],
  env: { readonly [name: string]: string } = {},
): Promise<string> {
  const options = { cwd: project.dir, env: { ...process.env, ...env } };
  const { stdout } = await execute(project.file('node_modules/.bin/peco-exp'), args, options);
  return stdout;
}

/** How packages are found: by Node's rules, and by those of bundlers. */
export const resolutions = {
  nodenext: { module: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
} as const;

/** What the compiler says of a strict project; nothing if it is content. */
export async function compile(
  project: Project,
  resolution: keyof typeof resolutions,
  files: readonly string[],
): Promise<string> {
  const compilerOptions = {
    ...{ strict: true, noEmit: true, target: 'es2023', ...resolutions[resolution] },
    skipLibCheck: true, // as most projects have it: declarations of TensorFlow.js contradict those of browsers
    allowImportingTsExtensions: true,
    types: ['node'],
    typeRoots: [path.join(repository, 'node_modules/@types')],
  };
  project.write({ 'tsconfig.json': JSON.stringify({ compilerOptions, files }) });
  const tsc = path.join(repository, 'node_modules/typescript/bin/tsc');
  const { stdout } = await execute(process.execPath, [tsc, '-p', project.dir], { cwd: project.dir }).catch(
    (error: { stdout: string }) => error,
  );
  return stdout;
}
