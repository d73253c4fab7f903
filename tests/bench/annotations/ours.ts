/** Reads annotations as a plan and as a stage do, and the objects of some images; prints seconds and peak memory. */
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { coco } from '../../../components/data/readers/coco/config.ts';
import { load } from '../../../components/data/readers/coco/load.ts';
import { keepMade } from '../../../framework/stage/made.ts';

const [root, kept] = process.argv.slice(2) as [string, string];
const some = 1_000;

keepMade(kept);
const [began, used] = [performance.now(), process.cpuUsage()];
const seconds = (): number => (performance.now() - began) / 1000;
const component = coco({ root, split: 'train2017' });
const planned = seconds();
const data = await load({ config: component.config, files: component.files } as never);
const loaded = seconds();
for (let n = 0; n < Math.min(some, data.count); n++) await data.target((n * 7919) % data.count);
const { user, system } = process.cpuUsage(used);
process.stdout.write(
  JSON.stringify({
    seconds: { plan: planned, stage: loaded - planned, [`objects of ${some} images`]: seconds() - loaded },
    cpu: (user + system) / 1e6,
    peak: process.resourceUsage().maxRSS * 1024,
    images: component.provides?.images ?? path.basename(root),
  }),
);
