import { stripVTControlCharacters } from 'node:util';
import test from 'ava';
import { LiveDisplay, type LiveOptions } from '../../../../framework/cli/progress/live.ts';
import { isLiveTerminal } from '../../../../framework/cli/progress/live-terminal.ts';
import type { RunEvent, StageSummary } from '../../../../framework/run/record/events.ts';
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
  t.deepEqual(lines, [
    '20 left, 20 done · 2.0 stages/s · about 30 s to go',
    '20 left, 20 done · 2.0 stages/s · about 10 s to go',
  ]);
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

test('a window that becomes smaller gets a smaller drawing', async (t) => {
  const { screen, show, draw } = await open(names(9), {}, [100, 30]);
  for (const stage of names(9)) show(start(stage));
  draw();
  await settled();
  Object.assign(screen, { width: 30, height: 6 });
  draw();
  const [, ...drawn] = stripVTControlCharacters(screen.text()).trimEnd().split('\n');
  t.is(drawn.length, 4);
  t.true(drawn.every((line) => line.length <= 30));
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
