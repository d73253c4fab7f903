import test from 'ava';
import { createRig, until } from '../support/rig.ts';
import { findStageProcess, latestCheckpoint, readEntries, smallExperiment } from '../support/small.ts';

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

    process.env.PECO_CHECKPOINT_SECONDS = '0';
    const killed = rig.start(...run, '--store', 'killed');
    await until(() => latestCheckpoint(rig, 'killed') >= 5);
    // Both at once, so that nothing is tried again.
    process.kill(findStageProcess(killed.process.pid!, 'tokenizer/beit/seed-0')!, 'SIGKILL');
    killed.process.kill('SIGKILL');
    await killed.done;
    // Interrupted later on, and gently this time: what was trained is saved, though no checkpoint is due.
    process.env.PECO_CHECKPOINT_SECONDS = '1000';
    const before = latestCheckpoint(rig, 'killed');
    const stopped = rig.start(...run, '--store', 'killed', '--json');
    await until(() => stopped.stdout().includes('"phase":"training"'));
    stopped.process.kill('SIGINT');
    const { code } = await stopped.done;
    delete process.env.PECO_CHECKPOINT_SECONDS;
    t.is(code, 130);
    const after = latestCheckpoint(rig, 'killed');
    t.true(before >= 5 && after > before && after < 60, `stopped at ${before}, then at ${after}`);

    t.regex(stopped.stdout(), new RegExp(`"saved":{"step":${after},"of":60}`));
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
