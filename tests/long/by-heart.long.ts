import test from 'ava';
import { load } from '../../components/data/readers/composites/load.ts';
import { run } from '../../components/downstream/finetune/stage.ts';
import type { StageFunction } from '../../framework/stage/contract.ts';
import { composites, fineTune, vit } from '../../index.ts';
import { createProject } from '../support/project.ts';
import { leafInput } from '../support/stage-input.ts';
import { attemptStage } from '../support/stage-runner.ts';

// A task that can't learn 16 images by heart is broken. UperNet and Mask R-CNN: upernet.long.ts, mask-rcnn.long.ts.
const scenes = composites({ split: 'train', size: 64, count: 16 });

test('fine-tuning learns 16 scenes by heart', async (t) => {
  const { dir } = createProject(t, {});
  const data = { ...leafInput(scenes), load: () => load(leafInput(scenes)) };
  const { config } = fineTune({
    backbone: vit({ dim: 64, depth: 4, heads: 4, patch: 8 }),
    ...{ steps: 150, batchSize: 16, learningRate: 2e-3, layerDecay: 1, weightDecay: 0, dropPath: 0 },
    ...{ labelSmoothing: 0, view: { flip: 0 } },
  });
  const { metrics } = await attemptStage(run as unknown as StageFunction<never>, {
    ...{ dir, name: 'whole', config, inputs: { train: data, test: data } },
  });
  t.is(metrics.top1, 1);
});
