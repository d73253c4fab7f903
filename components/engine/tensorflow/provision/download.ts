import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Download } from './catalogue.ts';
import { call, lastError } from './tools.ts';

/** A failure that its user can mend; its message has the remedy. */
export class ProvisionError extends Error {
  override readonly name = 'ProvisionError';
}

/** Where downloads go, and who hears of them. */
export interface Place {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly terminal: boolean;
  say(line: string): void;
}

const again = 'then run the same command again: what is finished stays';

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
  return fetchOnce(download, place, {
    command: [...command, '--dest', path.join(place.folder, 'downloads'), `${name}==${version}`],
    remedy: 'look at the network and at the index that pip uses (python3 -m pip config list)',
  });
}

/**
 * Fetches a package by npm, from the registry that npm is set up for. Nothing of it is installed, no script of it runs.
 *
 * @throws ProvisionError
 */
export function fetchPackage(download: Download, place: Place): Promise<string> {
  const to = ['--pack-destination', path.join(place.folder, 'downloads')];
  return fetchOnce(download, place, {
    command: ['npm', 'pack', '--silent', '--ignore-scripts', ...to, `${download.name}@${download.version}`],
    remedy: 'look at the network and at the registry that npm uses (npm config get registry)',
  });
}

async function fetchOnce(
  download: Download,
  { folder, env, terminal, say }: Place,
  { command, remedy }: { readonly command: readonly string[]; readonly remedy: string },
): Promise<string> {
  const { name, version } = download;
  const [program] = command[0] === 'npm' ? ['npm'] : ['pip'];
  const file = path.join(folder, 'downloads', download.file);
  if (fs.existsSync(file)) {
    const wrong = await wrongBytes(file, download);
    if (wrong === undefined) return file;
    say(`${download.file} ${wrong}; it is downloaded again`);
    fs.rmSync(file);
  }
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const show = terminal && program === 'pip';
  const called = await call(command as readonly [string, ...string[]], { env, show });
  if (called.code !== 0) {
    throw new ProvisionError(
      `${program} could not download ${name} ${version}: ${lastError(called)}\n  ${remedy}, ${again}`,
    );
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
