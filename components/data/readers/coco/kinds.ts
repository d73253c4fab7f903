import type { Entry } from './entries.ts';
import type { Finding } from './findings.ts';

/** The first entry of each list. */
export type Examples = { readonly [list: string]: Entry | undefined };

const wanted =
  'take instances_train2017.json or instances_val2017.json, or a file of the same form: images, annotations, categories';

/** What a JSON file is instead of annotations of instances; undefined if it seems to be that. */
export function kindOf(fields: readonly string[], examples: Examples): Finding | undefined {
  const { annotations, images, categories } = examples;
  const has = (field: string): boolean => annotations !== undefined && field in annotations;
  const other = (message: string): Finding => ({ message, hint: wanted });
  if (has('caption')) return other('has captions, not instances');
  if (has('segments_info')) return other('has panoptic segments, not instances');
  if (has('counts') || has('question')) return other('has annotations of another kind, not instances');
  for (const list of ['images', 'categories', 'annotations'])
    if (!fields.includes(list))
      return other(
        list === 'annotations' && images !== undefined
          ? 'has images without annotations, as the test splits of COCO are'
          : `has no \`${list}\` (it has ${fields.slice(0, 8).join(', ') || 'nothing'})`,
      );
  if (images === undefined) return other('lists no images');
  if (categories === undefined) return other('lists no categories');
  return undefined;
}
