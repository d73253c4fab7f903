import { execFile } from 'node:child_process';
import os from 'node:os';
import { promisify } from 'node:util';
import type { JsonObject } from '../stage/json.ts';

/** How an entry was made. Beside the result, never in a key, and without paths or names of the machine. */
export interface Provenance extends JsonObject {
  /** ISO 8601, UTC. */
  readonly started: string;
  /** Wall time of the work that is in the result: from the last checkpoint that was gone on from, and until that. */
  readonly seconds: number;
  /** The step of the checkpoint that the last attempt went on from; null if it began at the beginning. */
  readonly resumedFrom: number | null;
  /** Images used, all steps together; 0 if the stage counts none. */
  readonly images: number;
  readonly engine: string;
  readonly threads: number;
  readonly host: JsonObject;
  /** Third-party packages of the implementation -> version. */
  readonly packages: { readonly [name: string]: string };
  /** Null outside a git tree. */
  readonly git: { readonly commit: string; readonly dirty: boolean } | null;
}

export interface Making {
  readonly startedAt: Date;
  readonly seconds: number;
  readonly resumedFrom: number | undefined;
  readonly images: number;
  readonly engine: string;
  readonly threads: number;
  readonly packages: { readonly [name: string]: string };
}

/** Collects provenance for the stages of one run; asks git once, and only when the first stage has run. */
export function createProvenanceWriter(root: string): (making: Making) => Promise<Provenance> {
  let git: Promise<Provenance['git']> | undefined;
  return async (making) => {
    git ??= readGit(root);
    return {
      started: making.startedAt.toISOString(),
      seconds: Math.round(making.seconds * 1000) / 1000,
      resumedFrom: making.resumedFrom ?? null,
      images: making.images,
      engine: making.engine,
      threads: making.threads,
      host: describeHost(),
      packages: making.packages,
      git: await git,
    };
  };
}

/** Images per second of wall time, or undefined for a stage that counts no images. */
export function imagesPerSecond(provenance: JsonObject): number | undefined {
  const { images, seconds } = provenance;
  if (typeof images !== 'number' || typeof seconds !== 'number' || images <= 0 || seconds <= 0)
    return undefined;
  return images / seconds;
}

function describeHost(): JsonObject {
  const cpus = os.cpus();
  return {
    os: `${os.platform()} ${os.release()}`,
    arch: os.arch(),
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    node: process.version,
  };
}

async function readGit(root: string): Promise<Provenance['git']> {
  const git = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)('git', args, {
      cwd: root,
      timeout: 5000,
      maxBuffer: 2 ** 26,
    });
    return stdout.trim();
  };
  try {
    const [commit, changes] = await Promise.all([
      git('rev-parse', 'HEAD'),
      git('status', '--porcelain', '--untracked-files=no'),
    ]);
    return { commit, dirty: changes !== '' };
  } catch {
    // No git, no repository, no commit yet: all the same to a result.
    return null;
  }
}
