import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Download } from './catalogue.ts';
import { type Called, call, lastError, npmError } from './tools.ts';

/** A failure that its user can mend; its message has the remedy. */
export class ProvisionError extends Error {
  override readonly name = 'ProvisionError';
  /** `lacking`: this machine or its network has not what is needed. `failed`: it has, and a step went wrong. */
  readonly kind: 'lacking' | 'failed';

  constructor(message: string, kind: ProvisionError['kind'] = 'failed') {
    super(message);
    this.kind = kind;
  }
}

/** Where downloads go, and who hears of them. */
export interface Place {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly terminal: boolean;
  say(line: string): void;
  /** What is still to be downloaded. */
  rest(): readonly Download[];
}

/** What fetches a file, and what to look at if it can't. */
interface Fetcher {
  readonly program: 'pip' | 'npm';
  readonly command: readonly [string, ...string[]];
  readonly env?: NodeJS.ProcessEnv;
  readonly problem: (called: Called) => string;
  readonly remedy: string;
}

const again = 'then run the same command again: what is finished stays';

export const downloadsFolder = (folder: string): string => path.join(folder, 'downloads');

/** What calls that were killed have left among the downloads. */
export function clearLeftovers(folder: string): void {
  fs.rmSync(temporaryFolder(folder), { recursive: true, force: true });
}

const temporaryFolder = (folder: string): string => path.join(downloadsFolder(folder), 'tmp');

/**
 * Fetches a wheel by pip, from the index that pip is set up for.
 *
 * @throws ProvisionError
 */
export function fetchWheel(download: Download, place: Place): Promise<string> {
  const { name, version, file } = download;
  const [, , python = 'cp311', abi = 'none', platforms = ''] = file.replace(/\.whl$/, '').split('-');
  // A wheel for any Python will do: nothing of it runs in Python. Without a version pip would ask for its own.
  const tags = python.startsWith('cp') ? [python] : ['cp311'];
  const command = ['python3', '-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--no-cache-dir'];
  command.push('--disable-pip-version-check', '--python-version', tags[0].replace(/^cp3/, '3.'));
  command.push('--implementation', 'cp', '--abi', abi);
  for (const platform of platforms.split('.')) command.push('--platform', platform);
  if (!place.terminal) command.push('--quiet');
  command.push('--dest', downloadsFolder(place.folder), `${name}==${version}`);
  // pip downloads into a folder of its own and copies from there: here it has the disk whose space was looked at.
  const temporary = temporaryFolder(place.folder);
  fs.mkdirSync(temporary, { recursive: true });
  return fetchOnce(download, place, {
    program: 'pip',
    command: command as unknown as Fetcher['command'],
    env: { ...place.env, TMPDIR: temporary },
    problem: lastError,
    remedy: 'look at the network and at the index that pip uses (python3 -m pip config list)',
  });
}

/**
 * Fetches a package by npm, from the registry that npm is set up for. Nothing of it is installed, no script of it runs.
 *
 * @throws ProvisionError
 */
export function fetchPackage(download: Download, place: Place): Promise<string> {
  const to = ['--pack-destination', downloadsFolder(place.folder)];
  const flags = ['--json', '--silent', '--ignore-scripts', ...to];
  return fetchOnce(download, place, {
    program: 'npm',
    command: ['npm', 'pack', ...flags, `${download.name}@${download.version}`],
    problem: npmError,
    remedy: 'look at the network and at the registry that npm uses (npm config get registry)',
  });
}

async function fetchOnce(download: Download, place: Place, fetcher: Fetcher): Promise<string> {
  const { folder, terminal, say } = place;
  const { program, command, env = place.env, problem, remedy } = fetcher;
  const { name, version } = download;
  const file = path.join(downloadsFolder(folder), download.file);
  if (fs.existsSync(file)) {
    const wrong = await wrongBytes(file, download);
    if (wrong === undefined) return file;
    say(`${download.file} ${wrong}; it is downloaded again`);
    fs.rmSync(file);
  }
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const called = await call(command, { env, show: terminal && program === 'pip' });
  clearLeftovers(folder);
  if (called.code !== 0) {
    const why = `${program} could not download ${name} ${version}: ${problem(called)}`;
    if (isFullDisk(why)) throw new ProvisionError(`${why}\n  ${fullDiskRemedy}`, 'lacking');
    throw new ProvisionError([why, `  ${remedy}, ${again}`, ...bringYourself(place)].join('\n'), 'lacking');
  }
  if (!fs.existsSync(file))
    throw new ProvisionError(
      `${program} brought another file of ${name} ${version} than ${download.file}\n  ${remedy}, ${again}`,
    );
  const wrong = await wrongBytes(file, download);
  if (wrong === undefined) return file;
  fs.rmSync(file);
  throw new ProvisionError(`${download.file} ${wrong}, so it was deleted\n  ${remedy}, ${again}`);
}

export const fullDiskRemedy =
  'make room, or set PECO_TENSORFLOW to a folder elsewhere; the same command resumes';

export function isFullDisk(text: string): boolean {
  return /ENOSPC|EDQUOT|no space left on device|disk quota exceeded/i.test(text);
}

/** For machines without a network. */
function bringYourself({ folder, rest }: Place): readonly string[] {
  const files = rest().map(({ file }) => `    ${file}`);
  return [`  or bring these files into ${downloadsFolder(folder)}:`, ...files];
}

/** How a file differs from what was published; undefined if it doesn't. */
async function wrongBytes(file: string, { bytes, sha256 }: Download): Promise<string | undefined> {
  const { size } = fs.statSync(file);
  if (size !== bytes) return `has ${size} bytes instead of ${bytes}`;
  const digest = await digestOf(file);
  return digest === sha256
    ? undefined
    : `has the sha256 ${digest.slice(0, 12)}... instead of ${sha256.slice(0, 12)}...`;
}

/** sha256, in hex. */
export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(fs.createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
