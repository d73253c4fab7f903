import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { rigFiles } from './parts.ts';
import { createProject, type Project, repository } from './project.ts';

/** What a stage does when it comes to its command; `wait` ends when it is asked to stop, `wait deaf` doesn't. */
export type StageCommand = 'wait' | 'wait deaf' | 'throw' | 'print and throw' | 'exit' | 'die';

export interface Invocation {
  readonly process: ChildProcess;
  /** What it has printed so far. */
  stdout(): string;
  readonly done: Promise<Outcome>;
}

export interface Outcome {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What stages of the rig's experiment say that they ran, all of them, in the order of `takeRan`. */
export const everyStage = [
  'beit-0',
  'eval-beit-0',
  'eval-peco-0',
  'mim-beit-0',
  'mim-peco-0',
  'peco-0',
  'probe-beit-0',
  'probe-peco-0',
  'report',
];

/** A project with fake stages, and the real command line driven on it as a process. */
export interface Rig extends Project {
  /** Variables of its processes, beside those of the tests. */
  readonly environment: Texts;
  /** Starts `peco-exp` in the project's folder. */
  start(...args: string[]): Invocation;
  /** The same, and waits for its end. */
  peco(...args: string[]): Promise<Outcome>;
  command(stage: string, what: StageCommand): void;
  release(stage: string): void;
  /** Resolves to the pid of the stage's process once that has come to its command. */
  reached(stage: string): Promise<number>;
  /** Labels of the stages that ran since the last call, sorted. */
  takeRan(): string[];
  /** Forgets what ran and what was reached. */
  forget(): void;
  /** Names of the committed entries. */
  entries(): string[];
}

type Texts = { readonly [name: string]: string };

/** `environment`: further variables of its processes. */
export function createRig(
  t: ExecutionContext,
  files: Texts = {},
  environment: (project: Project) => Texts = () => ({}),
): Rig {
  const project = createProject(t, { ...rigFiles, ...files });
  fs.symlinkSync(repository, project.file('node_modules/peco-exp'));
  for (const folder of ['control/commands', 'control/reached'])
    fs.mkdirSync(project.file(folder), { recursive: true });
  const running = new Map<ChildProcess, Promise<Outcome>>();
  t.teardown(async () => {
    for (const child of running.keys()) child.kill('SIGKILL');
    await Promise.all(running.values());
  });

  const variables: Texts = {
    RIG_CONTROL: project.file('control'),
    NO_COLOR: '1',
    // Without a library of TensorFlow that this machine may have.
    XDG_CACHE_HOME: project.file('cache'),
    PECO_TENSORFLOW: '',
    ...environment(project),
  };

  function start(...args: string[]): Invocation {
    const env = { ...process.env, ...variables };
    const script = path.join(repository, 'bin/peco-exp.js');
    const child = spawn(process.execPath, [script, ...args], {
      cwd: project.dir,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const texts = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream]!.setEncoding('utf8').on('data', (text: string) => {
        texts[stream] += text;
      });
    }
    const done = new Promise<Outcome>((resolve) => {
      child.on('close', (code, signal) => {
        running.delete(child);
        resolve({ code, signal, ...texts });
      });
    });
    running.set(child, done);
    return { process: child, stdout: () => texts.stdout, done };
  }

  return {
    ...project,
    environment: variables,
    start,
    peco: (...args) => start(...args).done,
    command: (stage, what) => project.write({ [`control/commands/${stage}`]: what }),
    release: (stage) => fs.rmSync(project.file(`control/commands/${stage}`)),
    async reached(stage) {
      const file = project.file(`control/reached/${stage}`);
      await until(() => fs.existsSync(file));
      const pid = Number(fs.readFileSync(file, 'utf8'));
      fs.rmSync(file);
      return pid;
    },
    takeRan() {
      const file = project.file('control/ran');
      if (!fs.existsSync(file)) return [];
      const ran = fs.readFileSync(file, 'utf8').trim().split('\n').sort();
      fs.rmSync(file);
      return ran;
    },
    forget() {
      for (const name of fs.readdirSync(project.file('control/reached'))) {
        fs.rmSync(project.file(`control/reached/${name}`));
      }
      fs.rmSync(project.file('control/ran'), { force: true });
    },
    entries() {
      const dir = project.file('.peco/entries');
      return fs.existsSync(dir) ? fs.readdirSync(dir) : [];
    },
  };
}

/** Waits for something that another process does; ava's own time-out ends a wait in vain. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Processes whose current folder is this one. Linux only; elsewhere none is found. */
export function processesIn(dir: string): number[] {
  const isIn = (pid: string): boolean => {
    try {
      return fs.readlinkSync(`/proc/${pid}/cwd`) === dir;
    } catch {
      return false; // it has ended
    }
  };
  if (!fs.existsSync('/proc/self/cwd')) return [];
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && isIn(name))
    .map(Number);
}

/** False for a process that has ended, also if its exit code was not asked for yet (a zombie). */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    if (fs.existsSync('/proc/self/stat')) return false;
  }
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Output without what differs between runs and machines: times, rates, threads, folders. */
export function normalise(text: string, project: Project): string {
  return text
    .replaceAll(project.dir, '<project>')
    .replaceAll(repository, '<repository>')
    .replaceAll(/\d+ threads?/g, '<n> threads')
    .replaceAll(/\d+(\.\d+)? s\b/g, '<time>')
    .replaceAll(/ in (\d+:)+\d\d\b/g, ' in <time>')
    .replaceAll(/[\d,]+(\.\d)? images\/s/g, '<rate>');
}
