import { stripVTControlCharacters } from 'node:util';
import test from 'ava';
import { LiveDisplay, type LiveOptions } from '../../../../framework/cli/progress/live.ts';
import { isLiveTerminal } from '../../../../framework/cli/progress/live-terminal.ts';
import type { Look } from '../../../../framework/cli/text/look.ts';
import type {
  RunEvent,
  StageFinished,
  StageProgress,
  StageSummary,
} from '../../../../framework/run/record/events.ts';
import { Screen } from './support/screen.ts';

interface Shown {
  readonly screen: Screen;
  readonly display: LiveDisplay;
  show(...events: readonly RunEvent[]): void;
  /** Draws, as the passing of time does. */
  draw(): void;
  /** Seconds. */
  time: number;
}

async function open(
  stages: readonly string[],
  options: Partial<LiveOptions> = {},
  size: readonly number[] = [],
): Promise<Shown> {
  const screen = new Screen(...size);
  let draw = () => {};
  const display = new LiveDisplay({
    terminal: screen,
    repeat(callback) {
      draw = callback;
      return () => {
        draw = () => {};
      };
    },
    now: () => shown.time,
    ...options,
  });
  const shown: Shown = {
    screen,
    display,
    time: 0,
    show: (...events) => {
      for (const event of events) display.show(event);
    },
    draw: () => draw(),
  };
  shown.show(started(stages));
  // Listr begins a moment later, and so does each of its tasks.
  await settled();
  draw();
  await settled();
  return shown;
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

function started(stages: readonly string[]): RunEvent {
  const summaries = stages.map((stage): StageSummary => ({ stage, kind: 'vqvae', status: 'run' }));
  const about = { experiment: 'quickstart', file: 'q.ts', overrides: [], store: '.peco', results: 'results' };
  return { type: 'run-started', ...about, stages: summaries, jobs: 2, engine: 'onnx' };
}

const names = (many: number) =>
  Array.from({ length: many }, (_, index) => `tokenizer/${String(index).padStart(4, '0')}`);
const start = (stage: string): RunEvent => ({ type: 'stage-started', stage, threads: 1 });
const step = (stage: string, at: number): RunEvent => ({
  type: 'stage-progress',
  stage,
  step: at,
  of: 400,
  seconds: at / 10,
});
const finish = (stage: string): RunEvent => ({
  type: 'stage-finished',
  stage,
  origin: 'ran',
  contentKey: '0',
  seconds: 3,
});

test('what happens between two drawings costs one, however much it is', async (t) => {
  const { screen, show, draw } = await open(names(1000));
  show(start('tokenizer/0000'));
  const before = screen.writes;
  for (let at = 1; at <= 399; at++) show(step('tokenizer/0000', at));
  for (const stage of names(1000).slice(1, 900)) show(start(stage), finish(stage));
  t.is(screen.writes, before);
  draw();
  t.is(screen.writes, before + 1);
});

test('a drawing has as many lines as stages run, however many there are', async (t) => {
  for (const many of [20, 5000]) {
    const { screen, show, draw } = await open(names(many));
    const [first, second, ...others] = names(many);
    for (const stage of others) show(start(stage), finish(stage));
    show(start(first!), start(second!));
    draw();
    await settled();
    draw();
    const before = screen.bytes;
    show(step(first!, 17));
    draw();
    t.true(screen.bytes - before < 200, `${screen.bytes - before} bytes for ${many} stages`);
  }
});

test('stages that run stand below what has happened, with a line for the whole', async (t) => {
  const stages = ['tokenizer/beit', 'tokenizer/peco', 'pretraining/base', 'finetune', 'probe'];
  const shown = await open(stages);
  const { show, draw, screen, display } = shown;
  const screens: string[] = [];
  const look = async () => {
    draw();
    await settled();
    draw();
    screens.push(stripVTControlCharacters(screen.text()).replaceAll(/[⠁-⣿]/g, '*'));
  };
  show(start('tokenizer/beit'), start('tokenizer/peco'), step('tokenizer/peco', 110));
  await look();
  show(finish('tokenizer/beit'), { type: 'stage-waiting', stage: 'pretraining/base' });
  show({ type: 'warning', message: 'slow disk' });
  await look();
  show({
    type: 'stage-failed',
    stage: 'tokenizer/peco',
    failure: { message: 'the loss is NaN', hint: 'clip' },
    tail: ['epoch 1'],
  });
  show({ type: 'stage-skipped', stage: 'finetune', because: 'tokenizer/peco' }, start('probe'));
  show({ type: 'run-interrupted', kill: false });
  await look();
  show({ type: 'stage-interrupted', stage: 'probe' });
  await display.close();
  screens.push(screen.text());
  t.snapshot(screens);
  t.false(screen.hidCursor, 'a crash could leave it hidden');
});

test('the rest is estimated by what such stages took before, or by the rate of those that ran', async (t) => {
  const stages = names(40);
  const known = await open(stages, {
    expected: { total: 60, stages: new Map(stages.map((stage) => [stage, 3])) },
  });
  const unknown = await open(stages);
  const lines = [known, unknown].map((shown) => {
    for (const stage of stages.slice(0, 20)) shown.show(start(stage), finish(stage));
    shown.time = 10;
    shown.draw();
    return stripVTControlCharacters(shown.screen.text()).trimEnd().split('\n').at(-1)?.slice(2);
  });
  t.deepEqual(lines, ['20/40 · about 30 s left', '20/40 · about 10 s left']);
});

test('no line is wider than the terminal, and no more are drawn than it has room for', async (t) => {
  const odd = ['a'.repeat(300), '日本語'.repeat(40), 'two\nlines\x1b[2J', ...names(30)];
  for (const [columns, rows] of [
    [20, 4],
    [40, 10],
    [200, 50],
  ] as const) {
    const { screen, show, draw } = await open(odd, {}, [columns, rows]);
    for (const stage of odd) show(start(stage), step(stage, 12));
    draw();
    await settled();
    draw();
    const [, ...drawn] = stripVTControlCharacters(screen.text()).trimEnd().split('\n');
    t.true(drawn.length <= rows - 1, `${drawn.length} lines on ${rows} rows`);
    for (const line of drawn) t.true(columnsOf(line) <= columns, `"${line}" on ${columns} columns`);
  }
});

test('a window that becomes smaller gets a smaller drawing, and nothing of the larger one stays', async (t) => {
  const { screen, show, draw } = await open(names(9), {}, [100, 30]);
  for (const stage of names(9)) show(start(stage), step(stage, 12));
  draw();
  await settled();
  draw();
  screen.resize(30, 6);
  draw();
  const lines = stripVTControlCharacters(screen.text()).trimEnd().split('\n');
  // The first line has scrolled away, broken as the terminal breaks it.
  t.is(lines.slice(0, -4).join(''), 'quickstart: 9 stages, 0 stored, 9 to run (onnx, 2 jobs)');
  const drawn = lines.slice(-4);
  t.deepEqual(
    drawn.map((line) => line.slice(2)),
    [
      'tokeni…r/0000  step 12/400',
      'tokeni…r/0001  step 12/400',
      'tokeni…r/0002  step 12/400',
      '0/9 · 6 more stages running',
    ],
  );
  t.true(drawn.every((line) => line.length <= 30));
});

test('where nothing is known of some stages, the rest takes at least so long', async (t) => {
  const stages = names(4);
  const [first, second, third] = stages as [string, string, string];
  const known: [string, number | undefined][] = [
    [first, undefined],
    [second, 30],
    [third, 30],
  ];
  const { screen, show, draw } = await open(stages, { expected: { total: 60, stages: new Map(known) } });
  draw();
  t.regex(screen.text(), /0\/4 · at least 1:00 left/);
  show(start(first), finish(first));
  draw();
  t.regex(screen.text(), /1\/4 · about 1:00 left/);
});

test('a machine that is slower than it was is noticed, also in the midst of a stage', async (t) => {
  const [first, second] = names(2) as [string, string];
  const expected = { total: 200, stages: new Map([first, second].map((stage) => [stage, 100])) };
  const { screen, show, draw } = await open([first, second], { expected });
  const half = { ...(step(first, 200) as StageProgress), seconds: 150, remainingSeconds: 150 };
  show(start(first), half);
  draw();
  await settled();
  draw();
  // 150 s instead of 50 until now, the estimate counting as 20 s: 150 s of work at (20 + 150) / (20 + 50) of their time.
  t.regex(screen.text(), /0\/2 · about 6:04 left/);
  show({ ...(finish(first) as StageFinished), seconds: 300 });
  draw();
  // 100 s at (20 + 300) / (20 + 100).
  t.regex(screen.text(), /1\/2 · about 4:27 left/);
});

test('what is done of a stage counts before it ends', async (t) => {
  const [first, second] = names(2);
  const expected = { total: 100, stages: new Map([first!, second!].map((stage) => [stage, 50])) };
  const { screen, show, draw } = await open([first!, second!], { expected });
  show(start(first!), step(first!, 100));
  draw();
  await settled();
  draw();
  t.regex(screen.text(), /0\/2 · about 1:28 left/);
});

/** One screen of a run, as a terminal of some size shows it. */
async function screenOf(size: readonly number[], look?: Partial<Look>): Promise<string> {
  const stages = [
    'tokenizer/beit/seed-0',
    'tokenizer/peco@codebook.size=8192,loss.perceptual.weight=0.2/seed-0',
    'pretraining/base/seed-0',
    'evaluation/beit/seed-0',
    'tokenizer/pixel/seed-0',
    ...names(25),
  ];
  const expected = { total: 65, stages: new Map(stages.slice(0, 5).map((stage) => [stage, 13])) };
  const all = { columns: size[0]!, unicode: true, colour: false, ...look };
  const { screen, show, draw } = await open(stages, { expected, look: all }, size);
  const [beit, peco, base, evaluation, pixel] = stages as [string, string, string, string, string];
  for (const stage of names(12)) show({ ...(finish(stage) as StageFinished), origin: 'hit' });
  show(
    { type: 'stage-failed', stage: pixel, failure: { message: 'the loss is NaN' }, tail: [] },
    start(beit),
    { ...(step(peco, 0) as StageProgress), phase: 'compiling' },
    {
      ...(step(base, 110) as StageProgress),
      ...{ phase: 'training', imagesPerSecond: 3210, remainingSeconds: 48, values: { loss: 1.23456 } },
    },
    { ...(step(evaluation, 200) as StageProgress), phase: 'evaluating', imagesPerSecond: 52 },
  );
  draw();
  await settled();
  draw();
  return `\n${screen.text().replaceAll(/[⠁-⣿]/g, '*')}`;
}

test('a screen of 80 and one of 140 columns', async (t) => {
  t.snapshot(await screenOf([80, 24]), '80 columns');
  t.snapshot(await screenOf([140, 40]), '140 columns');
});

test('a screen without Unicode, and one with colours', async (t) => {
  const plain = await screenOf([80, 24], { unicode: false });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII
  t.regex(plain, /^[\x00-\x7f]*$/);
  t.snapshot(plain, 'without Unicode');
  t.snapshot((await screenOf([80, 24], { colour: true })).replaceAll('\x1b', '␛'), 'with colours');
});

test('lines are drawn again and again on terminals that can do so, and nowhere else', (t) => {
  const terminal = { isTTY: true, columns: 80, rows: 24 };
  t.true(isLiveTerminal(terminal, { TERM: 'xterm', CI: '' }));
  t.true(isLiveTerminal(terminal, { CI: 'false', NO_COLOR: '1' }));
  t.false(isLiveTerminal({ columns: 80, rows: 24 }, {}), 'a pipe');
  t.false(isLiveTerminal(terminal, { TERM: 'dumb' }));
  t.false(isLiveTerminal(terminal, { CI: 'true' }));
  t.false(isLiveTerminal({ ...terminal, columns: 0, rows: 0 }, {}), 'a size that is not known');
  t.false(isLiveTerminal({ ...terminal, columns: 12 }, {}));
});

/** East Asian characters take two. */
function columnsOf(line: string): number {
  return [...line].reduce((sum, character) => sum + (/[\u3000-\u9fff]/.test(character) ? 2 : 1), 0);
}
