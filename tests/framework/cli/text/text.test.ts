import test from 'ava';
import { createLineRenderer } from '../../../../framework/cli/progress/lines.ts';
import { formatFiles, formatProgress, formatRate } from '../../../../framework/cli/text/format.ts';
import { formatFailure, formatRunFinished } from '../../../../framework/cli/text/text.ts';
import type { RunEvent, StageProgress } from '../../../../framework/run/record/events.ts';
import { formatElapsed } from '../../../../framework/stage/duration.ts';

const stage = 'tokenizer/peco';

function show(events: readonly RunEvent[], verbose = false): string {
  let text = '';
  const renderer = createLineRenderer({
    verbose,
    write: (piece) => {
      text += piece;
    },
  });
  for (const event of events) renderer.show(event);
  return text;
}

function progressAt(seconds: number): StageProgress {
  return { type: 'stage-progress', stage, step: Math.round(seconds * 10), of: 600, seconds };
}

test('durations', (t) => {
  const shown = [0, 0.04, 9.94, 9.96, 59.4, 59.6, 61, 3599.6, 3665, -1].map(formatElapsed);
  t.deepEqual(shown, [
    '0.0 s',
    '0.0 s',
    '9.9 s',
    '10 s',
    '59 s',
    '1:00',
    '1:01',
    '1:00:00',
    '1:01:05',
    '0.0 s',
  ]);
});

test('rates', (t) => {
  t.deepEqual([0.25, 9.5, 12.3, 3210.4].map(formatRate), [
    '0.3 images/s',
    '9.5 images/s',
    '12 images/s',
    '3,210 images/s',
  ]);
});

test('progress', (t) => {
  const values = {
    loss: 1.23456,
    accuracy: 0.41,
    rate: 0.00012,
    perplexity: 182.4,
    bad: Number.NaN,
    zero: 0,
  };
  const full = { ...progressAt(12), images: 7680, imagesPerSecond: 3200, remainingSeconds: 48, values };
  t.snapshot([formatProgress(full), formatProgress(progressAt(1))]);
  // Of the time, what passed in waiting for data; nothing is said of next to nothing.
  t.deepEqual(
    [0.004, 0.03, 1].map((waiting) => formatProgress({ ...progressAt(1), imagesPerSecond: 50, waiting })),
    [
      'step 10/600 · 50 images/s',
      'step 10/600 · 50 images/s · data 3 %',
      'step 10/600 · 50 images/s · data 100 %',
    ],
  );
});

test('plain lines show progress at most every ten seconds of a stage', (t) => {
  const seconds = Array.from({ length: 62 }, (_, index) => index / 2);
  const lines = show([{ type: 'stage-started', stage, threads: 2 }, ...seconds.map(progressAt)])
    .trim()
    .split('\n');
  t.deepEqual(lines, [
    `${stage}  started, 2 threads`,
    `${stage}  step 100/600`,
    `${stage}  step 200/600`,
    `${stage}  step 300/600`,
  ]);
});

const everything: readonly RunEvent[] = [
  {
    type: 'run-started',
    experiment: 'quickstart',
    file: '/somewhere/quickstart.ts',
    stages: [
      { stage: 'network/vgg', kind: 'vgg', status: 'hit' },
      { stage, kind: 'vqvae', status: 'run' },
      { stage: 'evaluation/peco', kind: 'reconstruction', status: 'maybe' },
    ],
    overrides: [{ path: 'tokenizers.peco.loss.perceptual.weight', from: 1, to: 2 }],
    store: '/somewhere/.peco',
    results: '/somewhere/results',
    jobs: 2,
    engine: 'onnx',
  },
  { type: 'warning', message: 'the stored result 0123 is damaged', hint: 'it is made again' },
  { type: 'warning', stage, message: 'slow disk' },
  { type: 'stage-finished', stage: 'network/vgg', origin: 'hit', contentKey: '00' },
  { type: 'stage-waiting', stage },
  { type: 'stage-started', stage, threads: 1 },
  { type: 'log', stage, stream: 'stderr', text: 'reading images' },
  { type: 'stage-finished', stage, origin: 'ran', contentKey: '11', seconds: 31.2, imagesPerSecond: 3210 },
  { type: 'stage-finished', stage: 'evaluation/peco', origin: 'hit', contentKey: '22' },
  { type: 'stage-finished', stage: 'probe', origin: 'shared', contentKey: '33', seconds: 75 },
  {
    type: 'stage-failed',
    stage: 'finetune',
    failure: {
      message: 'the loss is NaN',
      hint: 'lower the learning rate',
      stack: 'Error: the loss is NaN\n    at step.ts:1',
    },
    tail: ['reading images', 'epoch 1'],
  },
  {
    type: 'stage-retrying',
    stage: 'network/vgg',
    failure: { message: 'its process was killed (SIGKILL)', hint: 'try --jobs 1' },
    tail: ['epoch 3'],
    retry: 1,
    of: 2,
  },
  { type: 'run-stopping', because: 'finetune' },
  { type: 'stage-skipped', stage: 'report', because: 'finetune' },
  { type: 'run-interrupted', kill: false },
  { type: 'run-interrupted', kill: true },
  { type: 'stage-interrupted', stage: 'pretraining' },
  { type: 'stage-interrupted', stage: 'probe', saved: { step: 110, of: 400 } },
];

test('every event as lines', (t) => t.snapshot(show(everything)));

test('every event as lines, verbose', (t) => t.snapshot(show(everything, true)));

test('the last lines of a stage are shown as on a terminal, without colours, of a bar its last state', (t) => {
  const tail = [
    '\u001b[31mred\u001b[0m\ttab',
    ' 1%\r 50%\r100%\r',
    '\u001b]0;title\u0007x\u001b[2J\b',
    'a\u202eb',
  ];
  const failure = { message: 'no' };
  t.deepEqual(formatFailure({ type: 'stage-failed', stage, failure, tail }, false), [
    `${stage}  FAILED: no`,
    '  the last that it printed:',
    '  | red\ttab',
    '  | 100%',
    '  | x␈',
    '  | a<U+202E>b',
  ]);
});

test('files of one folder stand below it on a terminal, and a path a line elsewhere', (t) => {
  const files = ['/work/results/q/ablation.md', '/work/results/q/ablation.csv', '/work/run.json'];
  const show = (file: string) => file.replace('/work/', '');
  const look = { unicode: true, colour: false };
  t.deepEqual(formatFiles(files, show, look), [
    '  results/q/ablation.md',
    '  results/q/ablation.csv',
    '  run.json',
  ]);
  t.deepEqual(formatFiles(files, show, { ...look, columns: 24 }), [
    '  results/q',
    '    ablation.md,',
    '    ablation.csv',
    '  /work',
    '    run.json',
  ]);
});

test('how a run ended', (t) => {
  const counts = {
    hit: 12,
    ran: 3,
    shared: 1,
    failed: 1,
    skipped: 2,
    dropped: 0,
    interrupted: 1,
    unstarted: 4,
  };
  const none = {
    hit: 19,
    ran: 0,
    shared: 0,
    failed: 0,
    skipped: 0,
    dropped: 0,
    interrupted: 0,
    unstarted: 0,
  };
  const finished = { type: 'run-finished', seconds: 187, files: [] } as const;
  const ends: readonly RunEvent[] = [
    { ...finished, status: 'done', counts: none, files: ['/results/ablation.md'] },
    { ...finished, status: 'failed', counts: { ...none, failed: 1, skipped: 2 } },
    { ...finished, status: 'interrupted', counts },
  ];
  const shown = ends.map((event) =>
    event.type === 'run-finished' ? formatRunFinished(event, (file) => file.slice(1)) : [],
  );
  t.snapshot(shown);
});
