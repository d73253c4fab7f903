import fs from 'node:fs';
import test from 'ava';
import { createRig, type Invocation, isAlive, type Outcome, type Rig, until } from '../support/rig.ts';
import { findStageProcess, latestCheckpoint, readEntries, smallExperiment } from '../support/small.ts';

/** Kills a training and its run once it is on its way. False if it had ended before, as it may on a busy machine. */
async function killTraining(rig: Rig, run: readonly string[]): Promise<boolean> {
  const { process: cli, done } = startWith('0', rig, ...run, '--store', 'killed');
  let ended = false;
  void done.then(() => {
    ended = true;
  });
  await until(() => ended || latestCheckpoint(rig, 'killed') >= 5);
  const stage = findStageProcess(cli.pid!, 'tokenizer/beit/seed-0');
  // The run first, so that nothing is tried again.
  cli.kill('SIGKILL');
  await done;
  if (stage !== undefined) kill(stage);
  await until(() => stage === undefined || !isAlive(stage));
  return latestCheckpoint(rig, 'killed') >= 5;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself, since its run is gone.
  }
}

/** Presses Ctrl-C in a training that resumes where it was killed. Exit code 0 if it had ended before. */
async function stopTraining(rig: Rig, run: readonly string[]): Promise<Outcome> {
  const started = startWith('1000', rig, ...run, '--store', 'killed', '--json');
  await until(() => started.stdout().includes('"phase":"training"'));
  started.process.kill('SIGINT');
  return started.done;
}

/** With a checkpoint every so many seconds. */
function startWith(seconds: string, rig: Rig, ...args: readonly string[]): Invocation {
  process.env.PECO_CHECKPOINT_SECONDS = seconds;
  const started = rig.start(...args);
  delete process.env.PECO_CHECKPOINT_SECONDS;
  return started;
}

const linuxTest = process.platform === 'linux' ? test.serial : test.serial.skip;

linuxTest(
  'a training whose process is killed goes on and ends in the same bytes, as one that is stopped',
  async (t) => {
    const rig = createRig(t, { 'experiment.ts': smallExperiment({ train: 640, test: 100, steps: 60 }) });
    const run = ['run', 'experiment.ts', '--upto', 'tokenizer/beit'];
    t.is((await rig.peco(...run, '--store', 'whole')).code, 0);
    const [whole] = [...readEntries(rig, 'whole').values()];
    t.is(whole?.provenance.resumedFrom, null);
    t.is(whole?.provenance.images, 60 * 32);

    while (!(await killTraining(rig, run))) rig.remove('killed');
    const before = latestCheckpoint(rig, 'killed');
    fs.cpSync(rig.file('killed'), rig.file('as-killed'), { recursive: true, verbatimSymlinks: true });
    // Interrupted later on, and gently this time: what was trained is saved, though no checkpoint is due.
    let stopped = await stopTraining(rig, run);
    while (stopped.code === 0) {
      rig.remove('killed');
      fs.cpSync(rig.file('as-killed'), rig.file('killed'), { recursive: true, verbatimSymlinks: true });
      stopped = await stopTraining(rig, run);
    }
    t.is(stopped.code, 130);
    const after = latestCheckpoint(rig, 'killed');
    t.true(before >= 5 && after > before && after < 60, `stopped at ${before}, then at ${after}`);

    t.regex(stopped.stdout, new RegExp(`"saved":{"step":${after},"of":60}`));
    const ask = async (...args: string[]) => (await rig.peco(...args, '--store', 'killed')).stdout;
    const plan = ['plan', 'experiment.ts', '--upto', 'tokenizer/beit'];
    const promise = `resumes at step ${after} of 60`;
    t.regex(await ask(...plan), new RegExp(`run +tokenizer/beit/seed-0 +${promise}`));
    t.true((await ask('why', 'experiment.ts', 'tokenizer/beit')).includes(promise));
    t.true((await ask(...plan, '--engine', 'reference')).includes(`${promise} (computed by onnx)`));

    t.is((await rig.peco(...run, '--store', 'killed')).code, 0);
    const [resumed] = [...readEntries(rig, 'killed').values()];
    t.is(resumed?.key, whole?.key);
    t.is(resumed?.digest, whole?.digest);
    t.is(resumed?.provenance.resumedFrom, after);
    t.is(resumed?.provenance.images, 60 * 32, 'of all attempts');
    t.is(latestCheckpoint(rig, 'killed'), 0, 'nothing is left of them');
  },
);
