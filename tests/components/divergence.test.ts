import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import type { StageFunction } from '../../framework/stage/contract.ts';
import type { JsonObject } from '../../framework/stage/json.ts';
import { createProject } from '../support/project.ts';
import { attemptStage } from '../support/stage-runner.ts';
import { inputsOf, kinds } from './support/trainings.ts';

// A probe is fitted to its optimum: it has no updates to choose.
const trained = Object.entries(kinds).filter(([kind]) => kind !== 'linear probe');

for (const [kind, { component, run }] of trained) {
  test(`${kind}: a training whose last update diverges fails and leaves no weights`, async (t) => {
    const { dir } = createProject(t, {});
    // Every update before has a finite loss: only the weights after the one and last step tell.
    const config: JsonObject = { ...component.config, learningRate: 1e38, warmup: 0, steps: 1 };
    const given = { dir, name: 'diverged', config, inputs: inputsOf(dir), interval: 0 };
    const error = await t.throwsAsync(attemptStage(run as StageFunction<never>, given));
    t.regex(error?.message ?? '', /after (the last update, )?step 1 of 1/);
    const left = fs.readdirSync(path.join(dir, 'out-diverged'));
    t.deepEqual(
      left.filter((name) => name !== 'metrics.jsonl'),
      [],
    );
    t.deepEqual(statesIn(path.join(dir, 'work-diverged')), [], 'nor a state to resume from');
  });
}

function statesIn(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.safetensors'));
}
