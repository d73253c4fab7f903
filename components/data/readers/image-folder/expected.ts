import { z } from 'zod';
import type { ConfigIssue } from '../../../../framework/stage/component.ts';
import { disk } from '../../../../framework/stage/disk.ts';
import { describeNearest } from '../folder.ts';

export const expectedSchema = z.strictObject({
  /** How many images. */
  images: z.int().positive().optional(),
  /** How many classes. */
  classes: z.int().positive().optional(),
});

/** How much a folder should hold, as far as it is said. */
export type Expected = z.output<typeof expectedSchema>;

/** What is looked for. */
export interface Asked {
  readonly root: string;
  /** Where all images are in one folder. */
  readonly labels?: string | undefined;
  readonly expected?: Expected | undefined;
}

/** That the folder is not there, with what should be and what is there instead; nothing if it is there. */
export function missingRoot({ root, labels, expected = {} }: Asked): ConfigIssue[] {
  if (disk.exists(root)) return [];
  const found = describeNearest(root);
  const tree = labels === undefined ? describeTree(root, expected) : describeFlat(root, expected);
  const hint = [...tree, ...(found === undefined ? [] : [found])].join('\n');
  return [{ path: ['root'], message: `there is no folder ${root}`, hint, missing: true }];
}

/** That a folder holds another number of classes or images; of both, that of classes, since the other follows. */
export function otherThanExpected(
  found: { readonly images: number; readonly classes: number },
  expected: Expected,
): ConfigIssue[] {
  const odd = (['classes', 'images'] as const).find(
    (what) => (expected[what] ?? found[what]) !== found[what],
  );
  if (odd === undefined) return [];
  const is = [...many(found.classes, 'classes'), ...many(found.images, 'images')].join(' and ');
  const message = `has ${is}, not the ${many(expected[odd], odd)[0]} that are expected`;
  const hint = 'complete the folder, or leave `expected` out to take it as it is';
  return [{ path: ['root'], message, hint }];
}

/** What is expected, as a tree. */
function describeTree(root: string, { images, classes }: Expected): string[] {
  const counts = [...many(classes, 'folders'), ...many(images, 'images')];
  return [
    `expected a folder of images for each class${counts.length === 0 ? '' : ` (${counts.join(', ')} in all)`}:`,
    `  ${root}/`,
    '    n01440764/',
    '      n01440764_10026.JPEG',
    '      ...',
    '    ...',
  ];
}

function describeFlat(root: string, { images }: Expected): string[] {
  return [
    `expected ${many(images, 'images')[0] ?? 'images'} in one folder:`,
    `  ${root}/`,
    '    ILSVRC2012_val_00000001.JPEG',
    '    ...',
  ];
}

function many(count: number | undefined, what: string): string[] {
  return count === undefined ? [] : [`${count.toLocaleString('en-US')} ${what}`];
}
