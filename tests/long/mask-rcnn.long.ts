import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { vit } from '../../components/backbone/config.ts';
import { runsOf } from '../../components/data/masks/polygon.ts';
import { textOfRuns } from '../../components/data/masks/text.ts';
import { composites } from '../../components/data/readers/composites/config.ts';
import { load } from '../../components/data/readers/composites/load.ts';
import type { ImageInstances } from '../../components/data/targets.ts';
import type { Dataset } from '../../components/data/types.ts';
import { maskRcnn } from '../../components/downstream/detection/config.ts';
import { run } from '../../components/downstream/detection/stage.ts';
import type { StageFunction } from '../../framework/stage/contract.ts';
import { createProject } from '../support/project.ts';
import { leafInput } from '../support/stage-input.ts';
import { attemptStage } from '../support/stage-runner.ts';

// Some minutes. PYTHON names a Python with pycocotools.
const python = process.env.PYTHON ?? 'python3';

const scenes = composites({ split: 'train', target: 'instances', size: 64, count: 16 });
const task = maskRcnn({
  backbone: vit({ dim: 64, depth: 4, heads: 4, patch: 8 }),
  ...{ steps: 600, batchSize: 8, learningRate: 2e-3, warmup: 10, schedule: { kind: 'cosine' }, clipNorm: 1 },
  ...{ dropPath: 0, layerDecay: 1, weightDecay: 0, view: { flip: 0, maxInstances: 4 }, fpnChannels: 32 },
  rpn: { before: { train: 128, test: 128 }, after: { train: 48, test: 48 }, samples: 64 },
  boxHead: { width: 128, samples: 32, positives: 0.5 },
  maskHead: { convolutions: 2, channels: 32 },
});

test('Mask R-CNN learns 16 scenes by heart; pycocotools says the same of what it found', async (t) => {
  const { dir } = createProject(t, {});
  const data = { ...leafInput(scenes), load: () => load(leafInput(scenes)) };
  const { metrics } = await attemptStage(run as unknown as StageFunction<never>, {
    ...{ dir, name: 'whole', config: task.config, inputs: { train: data, test: data } },
  });
  t.log(JSON.stringify(metrics));
  t.true(metrics.boxAP! > 0.95, `box AP ${metrics.boxAP}`);
  t.true(metrics.maskAP50! > 0.98 && metrics.maskAP! > 0.75, `mask AP ${metrics.maskAP}`);

  const truths = path.join(dir, 'truths.json');
  writeFileSync(truths, JSON.stringify(await officialOf((await data.load()) as Dataset<ImageInstances>)));
  const script = fileURLToPath(new URL('../fixtures/coco/evaluate.py', import.meta.url));
  const said = execFileSync(python, [script, truths, path.join(dir, 'out-whole/detections.json')]).toString();
  const official = JSON.parse(said) as { readonly [metric: string]: number };
  for (const [metric, value] of Object.entries(official))
    t.true(Math.abs((metrics[metric] ?? -1) - value) < 1e-9, `${metric}: ${metrics[metric]}, not ${value}`);
});

/** In COCO's format, category i + 1 for class i. */
async function officialOf({ count, classes, target }: Dataset<ImageInstances>): Promise<object> {
  const targets = await Promise.all(Array.from({ length: count }, (_, index) => target(index)));
  return {
    images: targets.map(({ imageId, height, width }) => ({ id: imageId, height, width })),
    categories: classes.map((name, index) => ({ id: index + 1, name })),
    annotations: targets.flatMap(({ imageId, height, width, instances }) =>
      instances.map(({ id, class: index, box, area, crowd, mask }) => ({
        ...{ id, image_id: imageId, category_id: index + 1, bbox: box, area, iscrowd: Number(crowd) },
        segmentation: {
          size: [height, width],
          counts: textOfRuns(runsOf(mask!, { height, width })),
        },
      })),
    ),
  };
}
