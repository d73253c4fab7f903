/**
 * Writes composites to a folder in the official layouts, for other programs: COCO, ADE20K and class folders.
 *
 *     npx tsx components/data/readers/composites/make-folders.ts FOLDER ['{"size": 96, "count": 1000}']
 *
 * The second argument is what `composites` takes, without `split` and `target`.
 */
import path from 'node:path';
import { composites } from './config.ts';
import { load } from './load.ts';
import { writeClassFolders, writeCoco, writeLabelMaps } from './write.ts';

/** What COCO and ADE20K call the splits. */
const splits = [
  { split: 'train', coco: 'train2017', ade: 'training' },
  { split: 'test', coco: 'val2017', ade: 'validation' },
] as const;

const targets = [
  { target: 'instances', folder: 'coco', write: writeCoco },
  { target: 'label map', folder: 'ade', write: writeLabelMaps },
  { target: 'class', folder: 'classes', write: writeClassFolders },
] as const;

const [folder, given = '{}'] = process.argv.slice(2);
if (!folder) throw new Error('name a folder to write to');
for (const { split, coco, ade } of splits) {
  const names = { coco, ade, classes: split };
  for (const { target, folder: layout, write } of targets) {
    const { kind, config, files, issues } = composites({ ...JSON.parse(given), split, target });
    if (issues.length > 0)
      throw new Error(issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('\n'));
    const input = { kind, config, files, dir: '', inputs: {}, load: () => Promise.reject(new Error(kind)) };
    const place = path.join(folder, layout);
    await write((await load(input as never)) as never, place, names[layout]);
    console.log(`${place}: ${names[layout]}, ${config.count} scenes`);
  }
}
