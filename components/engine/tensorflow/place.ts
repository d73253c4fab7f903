import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { findPackage } from '../eager/packages.ts';

/** The version that `peco-exp provision tensorflow` fetches and that the engine is tested with. */
export const tensorflowVersion = '2.21.0';

/** `cpu`: without CUDA. `gpu`: built for CUDA; it runs on the CPU where there is no device. */
export type Variant = 'cpu' | 'gpu';

/** What lies in a library's folder, in `library.json`. Paths are relative to the folder. */
export interface LibraryRecord {
  readonly tensorflow: string;
  readonly variant: Variant;
  /** Which CUDA it was built for; absent for CPUs. */
  readonly cuda?: string;
  /** The packages that were unpacked, with the files that were taken of them and their sizes in bytes. */
  readonly packages: { readonly [file: string]: UnpackedPackage };
  /** Absent until everything is there. */
  readonly addon?: { readonly version: string; readonly bytes: number; readonly sha256: string };
}

export interface UnpackedPackage {
  readonly sha256: string;
  readonly files: { readonly [file: string]: number };
}

/** A library that can be loaded. */
export interface LocatedTensorflow {
  /** The addon, absolute. */
  readonly addon: string;
  /** What was provisioned; the package of npm that was installed; or a folder of the user's own. */
  readonly from: { readonly record: LibraryRecord } | { readonly package: string } | { readonly own: true };
  readonly folder: string;
}

export interface NoTensorflow {
  readonly missing: string;
  readonly remedy: string;
}

type Environment = { readonly [name: string]: string | undefined };

export const addonFile = 'tfjs_binding.node';
export const recordFile = 'library.json';

const provisionCommand = 'peco-exp provision tensorflow';
const packageNames = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

/** The folder of a library: PECO_TENSORFLOW, or one in the user's cache. */
export function libraryFolder(variant: Variant, env: Environment = process.env): string {
  if (env.PECO_TENSORFLOW?.trim()) return path.resolve(env.PECO_TENSORFLOW);
  const cache = env.XDG_CACHE_HOME?.trim() || path.join(env.HOME ?? homeFolder(), '.cache');
  return path.join(cache, 'peco-exp', `tensorflow-${tensorflowVersion}-${variant}`);
}

/** Empty where the machine doesn't know the user: then the library is nowhere. */
function homeFolder(): string {
  try {
    return os.homedir();
  } catch {
    return '';
  }
}

/**
 * Where TensorFlow's library is: what was provisioned (for GPUs first), or else what a package of npm has fetched by its
 * own installer. PECO_TENSORFLOW may also name a folder without a record that the user has made: the addon, and beside
 * it what it loads. Nothing is loaded here; sizes of files are compared with the record.
 */
export function locateTensorflow(env: Environment = process.env): LocatedTensorflow | NoTensorflow {
  const folders = new Set((['gpu', 'cpu'] as const).map((variant) => libraryFolder(variant, env)));
  let damage: NoTensorflow | undefined;
  for (const folder of folders) {
    const record = readRecord(folder);
    if (record?.addon === undefined) continue;
    const wrong = firstWrongFile(folder, record);
    if (wrong === undefined) return { addon: path.join(folder, addonFile), from: { record }, folder };
    damage ??= {
      missing: `TensorFlow in ${folder} is damaged: ${wrong}`,
      remedy: commandFor(record.variant),
    };
  }
  return damage ?? locateOwn(env) ?? locatePackage() ?? explainAbsence(env);
}

function locateOwn(env: Environment): LocatedTensorflow | undefined {
  if (!env.PECO_TENSORFLOW?.trim()) return undefined;
  const folder = path.resolve(env.PECO_TENSORFLOW);
  const addon = path.join(folder, addonFile);
  const isOwn = fs.existsSync(addon) && !fs.existsSync(path.join(folder, recordFile));
  return isOwn ? { addon, from: { own: true }, folder } : undefined;
}

/** The package's addon, if it was built or fetched. */
function locatePackage(): LocatedTensorflow | undefined {
  for (const name of packageNames) {
    const found = findPackage(name);
    if (found === undefined) continue;
    const addon = path.join(found.dir, 'lib/napi-v8', addonFile);
    if (fs.existsSync(addon))
      return { addon, from: { package: `${name.split('/')[1]} ${found.version}` }, folder: found.dir };
  }
  return undefined;
}

function explainAbsence(env: Environment): NoTensorflow {
  const set = env.PECO_TENSORFLOW?.trim();
  if (!set) return { missing: 'no TensorFlow library was provisioned', remedy: provisionCommand };
  const folder = path.resolve(set);
  const record = readRecord(folder);
  if (record !== undefined)
    return {
      missing: `the library in ${folder} (PECO_TENSORFLOW) is not complete`,
      remedy: commandFor(record.variant),
    };
  return { missing: `there is no library in ${folder} (PECO_TENSORFLOW)`, remedy: provisionCommand };
}

function commandFor(variant: Variant): string {
  return variant === 'gpu' ? `${provisionCommand} --gpu` : provisionCommand;
}

/** Undefined where there is none, or none of this version that can be read. */
export function readRecord(folder: string): LibraryRecord | undefined {
  try {
    const record = JSON.parse(fs.readFileSync(path.join(folder, recordFile), 'utf8')) as LibraryRecord;
    return record.tensorflow === tensorflowVersion && typeof record.packages === 'object'
      ? record
      : undefined;
  } catch {
    return undefined;
  }
}

/** The first file that isn't there, or has another size; undefined if all are as they were. */
function firstWrongFile(folder: string, { packages, addon }: LibraryRecord): string | undefined {
  const expected = Object.values(packages).flatMap(({ files }) => Object.entries(files));
  if (addon !== undefined) expected.push([addonFile, addon.bytes]);
  return wrongFile(folder, expected);
}

/** Says what is wrong with the first of these files (path and bytes) that isn't as it should be. */
export function wrongFile(
  folder: string,
  expected: readonly (readonly [file: string, bytes: number])[],
): string | undefined {
  for (const [file, bytes] of expected) {
    const stat = fs.statSync(path.join(folder, file), { throwIfNoEntry: false });
    if (stat === undefined) return `${file} is not there`;
    if (stat.size !== bytes) return `${file} has ${stat.size} bytes instead of ${bytes}`;
  }
  return undefined;
}
