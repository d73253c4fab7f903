import fs from 'node:fs';
import path from 'node:path';
import { explainMakeError, makeFolders } from '../../files/make-folders.ts';
import { PecoError } from '../../stage/errors.ts';
import { shellWord } from '../../stage/shell.ts';
import { ownPackage, readOwnPackage } from '../package-root.ts';
import { printLines } from '../print.ts';
import { formatPath } from '../text/format.ts';

export interface InitFlags {
  readonly json?: boolean;
}

/** What `peco-exp init` did; with `--json` it prints this. */
export interface Initialised {
  /** Absolute. */
  readonly folder: string;
  /** Written, relative to the folder. */
  readonly files: readonly string[];
  /** There already, and left as they are. */
  readonly kept: readonly string[];
  readonly experiment: string;
  /** Commands that make the project ready, to be typed in the folder. */
  readonly next: readonly string[];
}

/** The experiment of a new project; the package has it among its examples. */
const template = 'docs/examples/my-question.ts';
const experiment = 'experiments/my-question.ts';

/**
 * `peco-exp init [FOLDER]`: writes a project that runs: package.json, tsconfig.json, .gitignore and an experiment. A
 * package.json that is there stays as it is.
 *
 * @throws PecoError `file-exists` with all files in the way, before anything is written
 */
export async function initCommand(folder: string, flags: InitFlags): Promise<number> {
  const made = await initialise(path.resolve(folder));
  printLines(flags.json ? [JSON.stringify(made)] : formatInitialised(made));
  return 0;
}

/** Writes the files; see `initCommand`. */
export async function initialise(folder: string): Promise<Initialised> {
  const files = projectFiles(path.basename(folder));
  const names = Object.keys(files);
  const there = names.filter((name) => isThere(path.join(folder, name)));
  const kept: readonly string[] = there.filter((name) => name === 'package.json');
  const inTheWay = there.filter((name) => !kept.includes(name));
  if (inTheWay.length > 0)
    throw new PecoError(`${inTheWay.join(', ')} in ${formatPath(folder)}: there already, and not replaced`, {
      code: 'file-exists',
      hint: 'name a new folder: peco-exp init my-study',
    });
  const written = names.filter((name) => !kept.includes(name));
  for (const name of written) await writeNew(path.join(folder, name), files[name]!);
  const next = kept.length > 0 ? completing(path.join(folder, 'package.json')) : [install];
  return { folder, files: written, kept, experiment, next };
}

/** No package needs its install script, and that of onnxruntime-node fetches CUDA's libraries. */
const install = 'npm install --ignore-scripts';

/** What a package.json that stays as it is lacks. */
function completing(file: string): string[] {
  const { type, dependencies, devDependencies } = readManifest(file);
  const there = { ...dependencies, ...devDependencies };
  const lacking = ['peco-exp', 'zod', '@types/node', 'typescript'].filter(
    (name) => there[name] === undefined,
  );
  return [
    // Components say where their files are by import.meta, which the compiler refuses elsewhere.
    ...(type === 'module' ? [] : ['npm pkg set type=module']),
    [install, ...lacking.map((name) => (name === 'peco-exp' ? packageSource() : name))].join(' '),
  ];
}

/** What to install this package from: the tarball or folder that it was installed from, or its name. */
function packageSource(): string {
  return installedFrom() ?? 'peco-exp';
}

/** Absolute; undefined where the project that has this package names a version, or there is no such project. */
function installedFrom(): string | undefined {
  const modules = path.dirname(ownPackage());
  if (path.basename(modules) !== 'node_modules') return undefined;
  const project = path.dirname(modules);
  const { dependencies, devDependencies } = readManifest(path.join(project, 'package.json'));
  const named = { ...dependencies, ...devDependencies }['peco-exp'];
  return named?.startsWith('file:') ? path.resolve(project, named.slice('file:'.length)) : undefined;
}

interface Manifest {
  readonly type?: string;
  readonly dependencies?: { readonly [name: string]: string };
  readonly devDependencies?: { readonly [name: string]: string };
}

/** Without what isn't there or can't be read: npm says what is wrong with it. */
function readManifest(file: string): Manifest {
  try {
    return (JSON.parse(fs.readFileSync(file, 'utf8')) ?? {}) as Manifest;
  } catch {
    return {};
  }
}

function isThere(file: string): boolean {
  try {
    // Also a link that leads nowhere.
    fs.lstatSync(file);
    return true;
  } catch {
    return false; // where it can't be looked at, it can't be written either
  }
}

async function writeNew(file: string, text: string): Promise<void> {
  try {
    await makeFolders(path.dirname(file));
    fs.writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    const why = explainMakeError(error) ?? String(error);
    throw new PecoError(`${formatPath(file)} can't be written: ${why}`, {
      code: 'init-write',
      cause: error,
      hint: 'name a folder that you may write to',
    });
  }
}

/** By name, relative to the project's folder. */
export function projectFiles(name: string): { readonly [file: string]: string } {
  const { version, dependencies = {}, devDependencies = {} } = readOwnPackage();
  const place = installedFrom();
  const asHere = (...names: string[]) =>
    Object.fromEntries(names.map((one) => [one, { ...dependencies, ...devDependencies }[one] ?? '*']));
  const manifest = {
    name:
      name
        .toLowerCase()
        .replaceAll(/[^a-z0-9._-]+/g, '-')
        .replace(/^[._-]+/, '') || 'experiments',
    private: true,
    type: 'module',
    scripts: {
      start: `peco-exp run ${experiment}`,
      smoke: `peco-exp run ${experiment} --smoke`,
      types: 'tsc',
    },
    // zod and Node's types are for components of the project's own.
    dependencies: { 'peco-exp': place ? `file:${place}` : `^${version}`, ...asHere('zod') },
    devDependencies: asHere('@types/node', 'typescript'),
  };
  const options = {
    target: 'es2022',
    module: 'nodenext',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    types: ['node'],
  };
  return {
    'package.json': asText(manifest),
    'tsconfig.json': asText({ compilerOptions: options, include: ['experiments'] }),
    '.gitignore': 'node_modules/\n.peco/\n/results/\n',
    [experiment]: fs.readFileSync(path.join(ownPackage(), template), 'utf8'),
  };
}

function asText(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function formatInitialised({ folder, files, kept, experiment: file, next }: Initialised): string[] {
  const here = formatPath(folder);
  return [
    `a project in ${here === '.' ? 'this folder' : here}`,
    ...files.map((name) => `  wrote ${name}`),
    ...kept.map((name) => `  kept  ${name}, which was there`),
    'next',
    ...(here === '.' ? [] : [`  cd ${shellWord(here)}`]),
    ...next.map((command) => `  ${command}`),
    `  npx peco-exp run ${file} --smoke   all of it tiny, in minutes`,
    `  npx peco-exp run ${file}`,
  ];
}
