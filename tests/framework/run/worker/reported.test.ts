import fs from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openContext } from '../../../../framework/run/worker/context.ts';
import type { StageContext, StageResult } from '../../../../framework/stage/contract.ts';
import { formatError } from '../../../../framework/stage/errors.ts';
import type { StageError } from '../../../../framework/stage/stage-error.ts';
import { createProject } from '../../../support/project.ts';

/** The context of a stage in folders of its own; `end` is what the framework says when the stage resolves. */
function stageContext(t: ExecutionContext) {
  const project = createProject(t, {});
  for (const folder of ['out', 'work']) fs.mkdirSync(project.file(folder), { recursive: true });
  const job = {
    stage: 'tokenizer/mine',
    bundle: '',
    config: {},
    seed: 0,
    inputs: {},
    descriptors: {},
    files: {},
    outDir: project.file('out'),
    workDir: project.file('work'),
    engine: { name: 'onnx', threads: 1 },
  };
  const warnings: string[] = [];
  const { context, finish } = openContext(job, {
    signal: new AbortController().signal,
    checkpointSeconds: 30,
    onProgress: () => {},
    onWarning: (message) => void warnings.push(message),
  });
  const end = (
    metrics: { [name: string]: number } = { loss: 1 },
    noise: Pick<StageResult, 'perImage' | 'resampled'> = {},
  ) => {
    try {
      finish({ metrics, ...noise });
      return 'done';
    } catch (error) {
      return formatError(error);
    }
  };
  return { context, end, warnings, project, history: () => project.read('out/metrics.jsonl') };
}

const bad = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

test('a metric that is not finite is refused with the step that the stage had reached', (t) => {
  for (const value of bad) {
    const { context, end } = stageContext(t);
    context.progress({ step: 40, of: 40 });
    t.is(
      end({ psnr: value }),
      `metric "psnr" is ${value} at step 40\n  a stage returns finite numbers, or leaves the metric out`,
    );
  }
});

test('values for each image are stored beside the metric that is their mean, and refused beside another', (t) => {
  const right = Uint8Array.of(1, 0, 1, 1);
  const { end, project } = stageContext(t);
  t.is(end({ top1: 0.75, best: 0.3 }, { perImage: { top1: right, best: [0.1, 0.5] } }), 'done');
  t.is(project.read('out/per-image.json'), '{"best":[0.1,0.5],"top1":[1,0,1,1]}\n');
  for (const [metrics, perImage, message] of [
    [{ top1: 0.7 }, { top1: right }, '4 values of "top1" with the mean 0.75; the metric is 0.7'],
    [{ psnr: 0.75 }, { top1: right }, '4 values of "top1" with the mean 0.75; the metric is not there'],
    [{ top1: 1 }, { top1: [] }, '0 values of "top1" with the mean NaN; the metric is 1'],
    [{ top1: 1 }, { top1: [1, Number.NaN] }, '2 values of "top1" with the mean NaN; the metric is 1'],
  ] as const) {
    t.is(
      stageContext(t).end(metrics, { perImage }),
      `\`perImage\` has ${message}\n  return a metric of that name, the mean of a finite value for each test image`,
    );
  }
});

test('values of drawn test sets are stored with six digits, names sorted, and refused where one is missing', (t) => {
  const of = { images: 5, draws: 'two' };
  const { end, project } = stageContext(t);
  const values = { mIoU: Float64Array.of(1 / 3, 0.25), aAcc: [1, 0] };
  t.is(end({ mIoU: 0.3, aAcc: 0.6 }, { resampled: { ...of, values } }), 'done');
  t.is(
    project.read('out/resampled.json'),
    '{"images":5,"draws":"two","values":{"aAcc":[1,0],"mIoU":[0.333333,0.25]}}\n',
  );
  for (const [metrics, drawn, message] of [
    [{ AP: 1 }, { AP: [] }, '0 values of "AP"'],
    [{ AP: 1 }, { AP: [1, Number.NaN] }, '2 values of "AP"'],
    [{ AP: 1, AR: 1 }, { AP: [1, 1], AR: [1] }, '1 values of "AR"'],
    [{ AP: 1 }, { AR: [1] }, '1 values of "AR", which is no metric of the stage'],
  ] as const)
    t.is(
      stageContext(t).end(metrics, { resampled: { ...of, values: drawn } }),
      `\`resampled\` has ${message}\n  return a finite value of a metric for each test set, of all metrics as many`,
    );
});

const reports: { [by: string]: (context: StageContext, loss: number, step: number) => void } = {
  'the progress': (context, loss, step) => context.progress({ step, of: 40, values: { loss } }),
  'the history': (context, loss, step) => context.log({ step, loss }),
};

for (const [by, report] of Object.entries(reports)) {
  test(`a stage whose last loss in ${by} is not finite has failed, whatever it returns`, (t) => {
    for (const value of bad) {
      const { context, end } = stageContext(t);
      report(context, 0.5, 39);
      report(context, value, 40);
      t.is(
        end(),
        `"loss" was ${value} when last reported at step 40\n  the training diverged: lower the learning rate, or report finite numbers only`,
      );
    }
  });

  test(`a loss in ${by} that was infinite on the way and is finite at the end is no failure`, (t) => {
    const { context, end } = stageContext(t);
    report(context, Number.POSITIVE_INFINITY, 1);
    report(context, 0.5, 2);
    t.is(end(), 'done');
  });
}

test('nested numbers of the history count, and NaN stays visible there', (t) => {
  const { context, end, history } = stageContext(t);
  context.log({ parts: { pixel: 1, perceptual: [2, Number.NaN] } });
  t.is(
    end(),
    '"parts.perceptual.1" was NaN when last reported\n  the training diverged: lower the learning rate, or report finite numbers only',
  );
  t.is(history(), '{"parts":{"pixel":1,"perceptual":[2,"NaN"]}}\n');
});

test('a stage that reports nothing but words is done', (t) => {
  const { context, end } = stageContext(t);
  context.log({ note: 'NaN', none: null, yes: true });
  t.is(end({}), 'done');
});

test('a diverged state is neither saved nor handed over', async (t) => {
  const { context, warnings } = stageContext(t);
  const wrote: string[] = [];
  const write = (name: string) => (dir: string) => {
    wrote.push(name);
    fs.writeFileSync(path.join(dir, name), '');
  };
  context.log({ step: 1, loss: 2 });
  await context.checkpoints.save(1, write('good'));
  context.log({ step: 2, loss: Number.NaN });
  await context.checkpoints.save(2, write('bad'));
  const error = await t.throwsAsync(context.checkpoints.handOver(2, write('bad')));
  t.deepEqual(wrote, ['good']);
  t.is(warnings.length, 1);
  const { message, hint } = error as StageError;
  t.is(warnings[0], `no checkpoint of step 2: ${message} (${hint})`);
});
