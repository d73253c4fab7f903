import path from 'node:path';
import test from 'ava';
import type { StageFunction, StageInput } from '../../framework/stage/contract.ts';
import { createProject } from '../support/project.ts';
import { type Attempt, attemptStage } from '../support/stage-runner.ts';
import { inputsOf, kinds } from './support/trainings.ts';

for (const [kind, { component, run }] of Object.entries(kinds)) {
  test(`${kind}: stopped, resumed and trained in rungs, it gives the same bytes`, async (t) => {
    t.deepEqual(component.issues, []);
    const { dir } = createProject(t, {});
    const given = inputsOf(dir);
    const attempt = (options: Omit<Attempt, 'dir' | 'config' | 'inputs'>, previous?: string) => {
      const rung =
        previous === undefined ? {} : { previous: { dir: path.join(dir, `out-${previous}`) } as StageInput };
      const all: { [name: string]: StageInput } = { ...given, ...(rung as { previous: StageInput }) };
      return attemptStage(run as StageFunction<never>, {
        ...options,
        dir,
        config: component.config,
        inputs: all,
      });
    };
    const whole = await attempt({ name: 'whole' });
    const names = Object.keys(whole.files);
    const first = await attempt({ name: 'first', until: 4 });
    t.true(Object.keys(first.files).includes('state/data/training.safetensors'));
    t.is((await attempt({ name: 'second', stopAt: 7 }, 'first')).end, 'stopped');
    const second = await attempt({ name: 'second' }, 'first');
    t.is(second.past.resumedFrom, 7);
    t.deepEqual(Object.keys(second.files), names);
    // Not of the bytes themselves: the message would be long.
    t.deepEqual(
      names.filter((name) => second.files[name] !== whole.files[name]),
      [],
    );
    t.deepEqual(second.metrics, whole.metrics);
  });
}
