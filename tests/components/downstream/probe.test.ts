import test from 'ava';
import { vit } from '../../../components/backbone/config.ts';
import { linearProbe } from '../../../components/downstream/probe/config.ts';
import { run } from '../../../components/downstream/probe/stage.ts';
import type { StageFunction } from '../../../framework/stage/contract.ts';
import type { JsonObject } from '../../../framework/stage/json.ts';
import { createProject } from '../../support/project.ts';
import { attemptStage } from '../../support/stage-runner.ts';
import { inputsOf } from '../support/trainings.ts';

test('a probe without `labels` is fitted to all images', async (t) => {
  const project = createProject(t, {});
  const inputs = inputsOf(project.dir);
  const backbone = vit({ dim: 8, depth: 1, heads: 1, patch: 8 });
  for (const [labels, learnt] of [
    [undefined, 24],
    [8, 8],
  ] as const) {
    const { config } = linearProbe({ backbone, layer: 1, l2: 1, ...(labels ? { labels } : {}) });
    const { shown } = await attemptStage(run as unknown as StageFunction, {
      ...{ dir: project.dir, name: String(learnt), inputs, config: config as unknown as JsonObject },
    });
    // Features of the labelled images, then those of the 24 test images.
    t.is(shown[0]!.of, learnt + 24);
  }
});
