import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { ContentKey } from '../../../../framework/stage/keys.ts';
import { identifyProcess } from '../../../../framework/store/identity.ts';
import { openStore } from '../../../../framework/store/store.ts';
import {
  commit,
  files,
  fingerprint,
  key,
  objectOf,
  openFresh,
  otherFiles,
  otherKey,
  writeFiles,
} from './bench.ts';
import { deadPid } from './inject.ts';

/** Something that a store does, in a state of the store that it starts from. */
export interface Scenario {
  readonly name: string;
  /** Prepares the store in `dir`; it holds the other entry already. */
  prepare(dir: string): Promise<void>;
  /** With a store of its own, as a new process has it. If it looks up `key`, it gives what it found. */
  act(dir: string): Promise<unknown>;
  /** Whether it holds finished work of `key`: an error must not lose it. */
  readonly commits: boolean;
  readonly looks?: boolean;
}

/** Where the outputs of a stage lie that has ended, and is not committed yet. */
export const finished = 'tmp/finished';

const nothing = async (): Promise<void> => {};

/** The outputs of a finished stage, in the folder that the store gave for them. */
async function finishStage(dir: string): Promise<void> {
  const store = openStore(dir);
  const outDir = await store.newOutDir();
  writeFiles(outDir, files);
  fs.renameSync(outDir, path.join(dir, finished));
}

/** The commit alone, as attempts do it; with the bookkeeping of the run around it. */
async function commitFinished(dir: string): Promise<void> {
  const outDir = path.join(dir, finished);
  await openStore(dir).commit(key, { outDir, fingerprint, provenance: { engine: 'fake' } });
}

function damage(dir: string, text: string): void {
  const object = objectOf(dir, text);
  fs.chmodSync(object, 0o644);
  fs.writeFileSync(object, text.toUpperCase());
}

/** Outputs that wait in `pending/`, as after a commit on a full disk. */
async function keepOutputs(dir: string): Promise<void> {
  const { store } = openFresh(dir);
  const outDir = await store.newOutDir();
  writeFiles(outDir, files);
  const { rename } = fs.promises;
  fs.promises.rename = async (from, to) => {
    if (String(to).includes('/entries/')) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    return rename(from, to);
  };
  try {
    await store.commit(key, { outDir, fingerprint, provenance: { engine: 'fake' } });
  } catch {
    // As meant.
  } finally {
    fs.promises.rename = rename;
  }
}

const staleLock = JSON.stringify({ pid: deadPid, host: os.hostname(), token: 'x' });

export const scenarios: readonly Scenario[] = [
  { name: 'commit of a new result', prepare: finishStage, act: commitFinished, commits: true },
  {
    name: 'commit over a damaged entry',
    async prepare(dir) {
      await commit(openStore(dir));
      damage(dir, 'weights');
      await finishStage(dir);
    },
    act: commitFinished,
    commits: true,
  },
  {
    name: 'commit of a result that is there',
    async prepare(dir) {
      await commit(openStore(dir));
      await finishStage(dir);
    },
    act: commitFinished,
    commits: true,
  },
  {
    name: 'lookup of an entry',
    looks: true,
    async prepare(dir) {
      await commit(openStore(dir));
    },
    async act(dir) {
      const store = openStore(dir);
      const entry = await store.lookup(key);
      await store.flush();
      return entry;
    },
    commits: false,
  },
  {
    name: 'lookup that mends an output',
    looks: true,
    async prepare(dir) {
      await commit(openStore(dir));
      fs.rmSync(path.join(dir, 'entries', key, 'outputs/images'), { recursive: true });
    },
    act: (dir) => openStore(dir).lookup(key),
    commits: false,
  },
  {
    name: 'lookup that stores pending outputs',
    looks: true,
    prepare: keepOutputs,
    act: (dir) => openStore(dir).lookup(key),
    commits: true,
  },
  {
    name: 'start of a stage: lock, folders, leftovers',
    async prepare(dir) {
      fs.mkdirSync(path.join(dir, 'locks'), { recursive: true });
      fs.writeFileSync(path.join(dir, 'locks', `${key}.lock`), staleLock);
      fs.mkdirSync(path.join(dir, 'tmp', `out-${deadPid}..${identifyProcess().space}-1`), {
        recursive: true,
      });
    },
    async act(dir) {
      const store = openStore(dir);
      const release = await store.lock(key);
      await store.newOutDir();
      await store.workDir('f'.repeat(64) as ContentKey);
      await release();
    },
    commits: false,
  },
  {
    name: 'collection of the other entry',
    prepare: nothing,
    act: (dir) => openStore(dir).collect({}),
    commits: false,
  },
];

/** A store with the other entry, ready for a scenario. */
export async function prepareStore(dir: string, scenario: Scenario): Promise<void> {
  await commit(openStore(dir), otherFiles, otherKey);
  await scenario.prepare(dir);
}
