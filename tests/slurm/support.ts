import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { ExecutionContext, TestFn } from 'ava';
import { repository } from '../support/project.ts';
import { createRig, isAlive, type Rig } from '../support/rig.ts';

const run = promisify(execFile);
const script = path.join(repository, 'scripts/slurm-test-cluster');

/** Followed by the number of the process that tests. */
const folders = path.join(os.tmpdir(), 'peco-exp-slurm-');

/** A Slurm of its own for a file of tests. */
export interface Cluster {
  environment(): { readonly [variable: string]: string };
  /** What a program of Slurm prints. */
  ask(tool: string, ...args: string[]): Promise<string>;
  /** Starts slurmd of a node again. */
  startNode(node: string): Promise<void>;
  /** Pid of slurmd of a node. */
  pidOf(node: string): number;
  /** `12_3 RUNNING n1`: all tasks that Slurm knows, the oldest first. */
  tasks(): Promise<readonly string[]>;
  /** Waits until a task has gone back into the queue once. It says so also when it runs again. */
  requeued(task: string): Promise<void>;
}

/** Whether Slurm can keep accounts here: Debian's slurmdbd and mariadb-server, unless `PECO_SLURM_ACCOUNTING` is 0. */
export const hasAccounting =
  process.env.PECO_SLURM_ACCOUNTING !== '0' &&
  ['slurmdbd', 'mariadbd'].every((name) => fs.existsSync(`/usr/sbin/${name}`));

/**
 * Starts the cluster before the tests of a file, and ends it after them. Each test finds it without the jobs of others.
 *
 * @param variables of `scripts/slurm-test-cluster`
 */
export function startCluster(test: TestFn, variables: { readonly [name: string]: string } = {}): Cluster {
  const folder = `${folders}${process.pid}`;
  const env = { SLURM_CONF: path.join(folder, 'slurm.conf') };
  test.before(async () => {
    await endLeftovers();
    await run(script, ['start', folder], { env: { ...process.env, ...variables } });
  });
  test.after.always(async () => {
    await run(script, ['stop', folder]);
    fs.rmSync(folder, { recursive: true, force: true });
  });
  const isOpen = async () => (await cluster.tasks()).some(isOpenTask);
  test.beforeEach(async () => {
    if (await isOpen()) await ask('scancel', `--user=${process.getuid!()}`);
    await eventually(async () => !(await isOpen()));
  });
  const ask = async (tool: string, ...args: string[]) =>
    (await run(tool, args, { env: { ...process.env, ...env } })).stdout;
  const cluster: Cluster = {
    environment: () => env,
    ask,
    startNode: async (node) => void (await run(script, ['node', node, folder])),
    pidOf: (node) => Number(fs.readFileSync(path.join(folder, 'run', `slurmd-${node}.pid`), 'utf8')),
    async tasks() {
      const text = await ask(
        'squeue',
        '--noheader',
        '--array',
        '--states=all',
        '--sort=i',
        '--format=%F_%K %T %N',
      );
      return text.trim() === '' ? [] : text.trim().split('\n');
    },
    requeued: (task) =>
      eventually(async () => (await ask('scontrol', 'show', 'job', task)).includes(' Restarts=1 ')),
  };
  return cluster;
}

/** Whether a line of `tasks` says that the task has not ended. */
export function isOpenTask(line: string): boolean {
  return / (PENDING|RUNNING|COMPLETING)/.test(line);
}

/** Number of the task that makes a stage. */
export async function taskOf(rig: Rig, stage: string, ...flags: string[]): Promise<string> {
  const { stdout } = await rig.peco('status', 'experiment.ts', ...flags, '--json');
  const line = stdout.split('\n').find((one) => one.includes(`"${stage}"`))!;
  return (JSON.parse(line) as { readonly task: string }).task;
}

/** Clusters of tests that were killed. */
async function endLeftovers(): Promise<void> {
  for (const name of fs.readdirSync(path.dirname(folders))) {
    const folder = path.join(path.dirname(folders), name);
    if (!folder.startsWith(folders) || isAlive(Number(folder.slice(folders.length)))) continue;
    await run(script, ['stop', folder]);
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits for something that Slurm does. */
export async function eventually(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 300));
}

/** The rig with a tokenizer that trains in steps, with checkpoints. */
export function createTrainingRig(
  t: ExecutionContext,
  cluster: Cluster,
  files: { readonly [name: string]: string } = {},
): Rig {
  return createRig(t, { 'parts/tokenizer.ts': training, ...files }, () => ({
    ...cluster.environment(),
    // A checkpoint a step.
    PECO_CHECKPOINT_SECONDS: '0',
  }));
}

const training = `
import fs from 'node:fs';
import path from 'node:path';
import type { StageContext, StageResult } from 'peco-exp';

export async function run(context: StageContext): Promise<StageResult> {
  const { checkpoints, config, outDir, seed, signal } = context;
  const label = config.name + '-' + seed;
  const saved = await checkpoints.latest();
  let sum = saved ? Number(fs.readFileSync(path.join(saved.dir, 'sum.txt'), 'utf8')) : 1;
  const control = process.env.RIG_CONTROL!;
  fs.appendFileSync(path.join(control, 'ran'), label + (saved ? ' resumed' : '') + '\\n');
  // The test reads it as soon as it is there: it must be whole then.
  const written = path.join(control, label + '.' + process.pid);
  fs.writeFileSync(written, String(process.pid));
  fs.renameSync(written, path.join(control, 'reached', label));
  const steps = Number(config.steps);
  for (let step = (saved?.step ?? 0) + 1; step <= steps; step++) {
    sum = (sum * 31 + step) % 1_000_003;
    context.log({ step, loss: sum });
    context.progress({ step, of: steps, images: step * 8, values: { loss: sum } });
    if (step === steps) break;
    // Half-way it waits as long as the test has a command called \`hold\`; a step later for \`stick\`, and saves nothing.
    const has = (command: string) => fs.existsSync(path.join(control, 'commands', command));
    const stuck = step === steps / 2 + 1 && has('stick');
    while (!signal.aborted && (stuck || (step === steps / 2 && has('hold'))))
      await new Promise((resolve) => setTimeout(resolve, 20));
    if (stuck) signal.throwIfAborted();
    if (signal.aborted || checkpoints.isDue())
      await checkpoints.save(step, (dir) => fs.writeFileSync(path.join(dir, 'sum.txt'), String(sum)));
    signal.throwIfAborted();
  }
  fs.writeFileSync(path.join(outDir, 'weights.txt'), String(sum));
  return { metrics: { score: sum } };
}
`;

/** The bytes of all outputs of the entries of a kind, by name of entry and file. */
export function outputsOf(store: string): { readonly [file: string]: string } {
  const found: { [file: string]: string } = {};
  const entries = path.join(store, 'entries');
  for (const key of fs.readdirSync(entries)) {
    const outputs = path.join(entries, key, 'outputs');
    for (const name of fs.readdirSync(outputs).sort())
      found[`${key}/${name}`] = fs.readFileSync(path.join(outputs, name), 'utf8');
  }
  return found;
}
