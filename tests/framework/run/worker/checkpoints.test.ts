import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { checkpointSeconds } from '../../../../framework/run/worker/checkpoints.ts';
import { formatError } from '../../../../framework/stage/errors.ts';
import { createStage, readWeights, stateOf } from './support/checkpoints.ts';

test.serial('a stage goes on from its latest checkpoint, with the lines logged until then', async (t) => {
  const { open, clock, warnings, names } = createStage(t);
  const first = open();
  t.is(await first.latest(), undefined);
  t.deepEqual(first.past, {});
  first.history.append('one\n');
  clock.seconds += 7;
  await first.save(1, stateOf(1));
  first.history.append('two\n');
  clock.seconds += 5;
  await first.save(2, stateOf(2));
  first.history.append('lost\n');
  await first.save(3, stateOf(3));
  t.deepEqual(names(), ['step-2', 'step-3'], 'the two latest');

  clock.seconds += 100;
  const second = open();
  second.history.append('before training\n');
  const found = await second.latest();
  t.like(found, { step: 3, begun: 0 });
  t.is(readWeights(found!.dir), 'weights of 3');
  t.is(fs.readFileSync(path.join(found!.dir, 'more/moments.bin'), 'utf8'), 'moments of 3');
  t.is(second.history.read(), 'one\ntwo\nlost\n');
  second.history.append('three\n');
  t.is(second.history.read(), 'one\ntwo\nlost\nthree\n');
  // 12 seconds of the first attempt came to something, the 100 between the attempts belong to none.
  t.deepEqual(second.past, { resumedFrom: 3, earlierSeconds: 12 });
  clock.seconds += 4;
  await second.save(4, stateOf(4));
  const third = open();
  await third.latest();
  t.deepEqual(third.past, { resumedFrom: 4, earlierSeconds: 16 });
  t.deepEqual(warnings, []);
});

const damages: { readonly [name: string]: (dir: string) => void } = {
  'a truncated file': (dir) => fs.truncateSync(path.join(dir, 'data/weights.bin'), 50),
  'a flipped bit': (dir) => flip(path.join(dir, 'data/weights.bin')),
  'a missing file': (dir) => fs.rmSync(path.join(dir, 'data/more/moments.bin')),
  'other lines': (dir) => fs.appendFileSync(path.join(dir, 'metrics.jsonl'), 'more\n'),
  'no lines': (dir) => fs.rmSync(path.join(dir, 'metrics.jsonl')),
  'another step': (dir) =>
    fs.writeFileSync(
      path.join(dir, 'manifest.json'),
      fs.readFileSync(path.join(dir, 'manifest.json'), 'utf8').replace('"step":20', '"step":21'),
    ),
  'an empty manifest': (dir) => fs.writeFileSync(path.join(dir, 'manifest.json'), ''),
  'no manifest': (dir) => fs.rmSync(path.join(dir, 'manifest.json')),
  'nothing in it': (dir) => {
    fs.rmSync(dir, { recursive: true });
    fs.mkdirSync(dir);
  },
};

function flip(file: string): void {
  const bytes = fs.readFileSync(file);
  bytes[70]! ^= 4;
  fs.writeFileSync(file, bytes);
}

test.serial(
  'a damaged checkpoint is passed over for the one before, and none is left for the beginning',
  async (t) => {
    const told: { [damage: string]: string[] } = {};
    for (const [damage, spoil] of Object.entries(damages)) {
      const { open, project, warnings, folder, names } = createStage(t);
      const first = open();
      first.history.append('ten\n');
      await first.save(10, stateOf(10));
      first.history.append('twenty\n');
      await first.save(20, stateOf(20));
      spoil(project.file(`${folder}/step-20`));
      const second = open();
      const found = await second.latest();
      t.is(found?.step, 10, damage);
      t.is(second.history.read(), 'ten\n', damage);
      // It would push the good one out.
      await second.save(15, stateOf(15));
      t.deepEqual(names(), ['step-10', 'step-15'], damage);
      for (const step of [10, 15]) fs.rmSync(project.file(`${folder}/step-${step}/manifest.json`));
      const third = open();
      t.is(await third.latest(), undefined, damage);
      t.is(third.history.read(), '', damage);
      t.deepEqual(third.past, {}, damage);
      told[damage] = warnings;
    }
    t.snapshot(told);
  },
);

/** What a checkpoint calls of the file system, in a wrapping that fails at a call, or from it on. */
async function withFailingFiles(
  at: number,
  how: 'once' | 'from then on',
  work: () => Promise<void>,
): Promise<number> {
  const names = ['mkdir', 'readdir', 'stat', 'writeFile', 'open', 'rename', 'rm'] as const;
  const files = fs.promises as unknown as { [name: string]: (...args: unknown[]) => Promise<unknown> };
  const originals = names.map((name) => [name, files[name]!] as const);
  let calls = 0;
  for (const [name, original] of originals) {
    files[name] = async (...args) => {
      const call = calls++;
      const fails = how === 'once' ? call === at : call >= at;
      // Half of it gets there.
      if (fails && name === 'writeFile') await original(args[0], String(args[1]).slice(0, 20));
      if (fails)
        throw Object.assign(new Error(`ENOSPC: no space left on device, ${name}`), { code: 'ENOSPC' });
      return original(...args);
    };
  }
  try {
    await work();
  } finally {
    for (const [name, original] of originals) files[name] = original;
  }
  return calls;
}

for (const how of ['once', 'from then on'] as const) {
  test.serial(`a file system that fails ${how}, at any call, costs one checkpoint at most`, async (t) => {
    const { open, warnings, names } = createStage(t);
    const unharmed = open();
    await unharmed.save(1, stateOf(1));
    const calls = await withFailingFiles(Number.POSITIVE_INFINITY, how, () => unharmed.save(2, stateOf(2)));
    t.true(calls > 15, `${calls} calls`);
    let lost = 0;
    let step = 2;
    for (let call = 0; call < calls; call++) {
      const before = step++;
      warnings.length = 0;
      const stage = open();
      await withFailingFiles(call, how, () => stage.save(step, stateOf(step)));
      const found = await open().latest();
      t.true(found?.step === step || found?.step === before, `call ${call}: step ${found?.step}`);
      t.is(readWeights(found!.dir), `weights of ${found!.step}`.slice(0, 12));
      if (found!.step === before) {
        lost++;
        t.is(warnings.length, 1);
        t.regex(warnings[0]!, /^can't write a checkpoint at step \d+, going on without: ENOSPC/);
        step = before;
      }
      // What the failure left behind doesn't stay.
      await open().save(++step, stateOf(step));
      t.is(names().length, 2, `call ${call}: ${names()}`);
    }
    t.true(lost > 10 && lost < calls, `${lost} of ${calls}`);
  });
}

test.serial('a full disk is warned of once, until a checkpoint could be written again', async (t) => {
  const { open, warnings } = createStage(t);
  const stage = open();
  const full = () => {
    throw new Error('ENOSPC: no space left on device, write');
  };
  for (const step of [1, 2, 3]) await stage.save(step, full);
  t.deepEqual(warnings, [
    "can't write a checkpoint at step 1, going on without: ENOSPC: no space left on device, write",
  ]);
  await stage.save(4, stateOf(4));
  await stage.save(5, full);
  t.is(warnings.length, 2);
});

test.serial('checkpoints that cannot be read are as none, with a warning', async (t) => {
  const { open, project, warnings, folder } = createStage(t);
  project.write({ [folder]: 'a file' });
  t.is(await open().latest(), undefined);
  t.deepEqual(warnings, [
    `can't read the checkpoints, starting again: ENOTDIR: not a directory, scandir '<project>/${folder}'`,
  ]);
});

test.serial(
  'a checkpoint is due after the interval, and never for more than a fiftieth of the time',
  async (t) => {
    const { open, clock } = createStage(t);
    const stage = open({ interval: 30 });
    t.false(stage.isDue());
    clock.seconds += 29;
    t.false(stage.isDue());
    clock.seconds += 1;
    t.true(stage.isDue());
    const taking = (seconds: number) => () => {
      clock.seconds += seconds;
    };
    await stage.save(1, taking(0.5));
    t.false(stage.isDue());
    clock.seconds += 30;
    t.true(stage.isDue(), '0.5 s allow for one each 25 s');
    await stage.save(2, taking(2));
    clock.seconds += 99;
    t.false(stage.isDue());
    clock.seconds += 1;
    t.true(stage.isDue(), '2 s allow for one each 100 s');
    // A failure takes its time, too.
    await stage.save(3, () => {
      clock.seconds += 4;
      throw new Error('disk full');
    });
    clock.seconds += 199;
    t.false(stage.isDue());
    clock.seconds += 1;
    t.true(stage.isDue());
  },
);

test('the interval comes from a variable; 0 is every step', async (t) => {
  t.is(checkpointSeconds(undefined), 30);
  t.is(checkpointSeconds('0.5'), 0.5);
  const error = t.throws(() => checkpointSeconds('soon'));
  t.is(formatError(error), 'PECO_CHECKPOINT_SECONDS is "soon"\n  give seconds, 0 or more');
  t.throws(() => checkpointSeconds('-1'));
  const { open, clock } = createStage(t);
  const stage = open({ interval: 0 });
  t.true(stage.isDue());
  await stage.save(1, () => {
    clock.seconds += 50;
  });
  t.true(stage.isDue());
});

test.serial(
  'a rung begins from the state that the one before handed over, and from its own checkpoint after that',
  async (t) => {
    const { open, project, clock } = createStage(t);
    const rung = open({ out: 'rung-1' });
    rung.history.append('one\n');
    await rung.handOver(4, stateOf(4));
    rung.history.append('last line of the rung\n');
    const bytes = project.read('rung-1/state/manifest.json');
    t.deepEqual(fs.readdirSync(project.file('rung-1')).sort(), ['metrics.jsonl', 'state']);

    const next = open({ out: 'rung-2', previous: 'rung-1' });
    const found = await next.latest();
    t.like(found, { step: 4, begun: 4 });
    t.is(readWeights(found!.dir), 'weights of 4');
    t.is(next.history.read(), 'one\n');
    t.deepEqual(next.past, {}, 'it is no resumed attempt');
    await next.save(7, stateOf(7));
    t.like(await open({ out: 'rung-2', previous: 'rung-1' }).latest(), { step: 7, begun: 4 });

    // No times in it: the same training hands over the same bytes.
    clock.seconds += 1234;
    const again = open({ out: 'rung-1' });
    again.history.append('one\n');
    await again.handOver(4, stateOf(4));
    t.is(project.read('rung-1/state/manifest.json'), bytes);

    fs.rmSync(project.file('rung-1/state/data/weights.bin'));
    const error = await t.throwsAsync(open({ out: 'rung-2', previous: 'rung-1' }).latest());
    t.is(
      error.message.replaceAll(project.dir, '<project>'),
      'the rung before, in <project>/rung-1, left no state to resume from (data/weights.bin is missing)',
    );
  },
);
