import type { TestFn } from 'ava';
import { isCurve, loggedPoints } from './curves.ts';
import { createRig } from './rig.ts';

/**
 * What every executor must do, on the real command line: make each stage once, report a failure with what its stage
 * printed, leave out only what depends on it, make the rest when it is mended, and nothing when all is stored. TensorBoard
 * has the curves of all stages, of one that failed too.
 *
 * @param flags of `run`
 * @param environment variables of the processes
 */
export function testExecutor(
  test: TestFn,
  name: string,
  flags: readonly string[],
  environment: () => { readonly [variable: string]: string } = () => ({}),
): void {
  test(`${name}: stages run once; one that fails is reported, and stops only what depends on it`, async (t) => {
    const rig = createRig(t, {}, environment);
    const run = () => rig.peco('run', 'experiment.ts', ...flags, '--tensorboard', 'events');
    rig.command('mim-peco-0', 'print and throw');

    // What doesn't depend on the stage is made, the table says what is missing, and why is on the terminal.
    const first = await run();
    t.is(first.code, 1, first.stdout + first.stderr);
    t.deepEqual(rig.takeRan(), [
      ...['beit-0', 'eval-beit-0', 'eval-peco-0', 'mim-beit-0', 'mim-peco-0', 'peco-0', 'probe-beit-0'],
      'report',
    ]);
    const failed = 'pretraining/peco/base/seed-0';
    t.true(first.stdout.includes(`${failed}  FAILED: bad image\n  at parts/obey.ts`), first.stdout);
    t.true(first.stdout.includes('  | reading 10 images\n  | image 7 is broken\n'), first.stdout);
    t.true(first.stdout.includes(`downstream/peco/probe/seed-0  skipped, because ${failed} failed`));
    t.is(rig.read('results/rig/ablation.md'), table(`${failed} failed`));
    const curve = rig.file(`events/rig/${failed}/events.out.tfevents.peco-exp`);
    t.true(isCurve(curve, loggedPoints('pretraining')), 'a stage that fails keeps its curve');

    // Mended, only what was missing is made.
    rig.release('mim-peco-0');
    const second = await run();
    t.is(second.code, 0, second.stdout + second.stderr);
    t.deepEqual(rig.takeRan(), ['mim-peco-0', 'probe-peco-0', 'report']);
    t.is(rig.read('results/rig/ablation.md'), table('12'));
    const result = [
      ['pretraining result/another', 3, 0],
      ['pretraining result/score', 3, 'mim-peco-0'.length],
    ] as const;
    t.true(isCurve(curve, [...loggedPoints('pretraining'), ...result]));

    // All is stored.
    t.regex((await run()).stdout, /9 stored, 0 ran/);
    t.deepEqual(rig.takeRan(), []);
  });
}

function table(last: string): string {
  return [
    '| variant | task | seed | score |',
    '| --- | --- | --- | --- |',
    '| beit | tokenizer | 0 | 11 |',
    '| peco | tokenizer | 0 | 11 |',
    '| beit | probe | 0 | 12 |',
    `| peco | probe | 0 | ${last} |`,
    '',
  ].join('\n');
}
