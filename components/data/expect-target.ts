import type { WiredInput, WiringIssue } from '../../framework/stage/component.ts';
import type { TargetKind } from './targets.ts';

const wanted: { readonly [kind in TargetKind]: { readonly each: string; readonly such: string } } = {
  class: { each: 'a class', such: "`imageFolder` or `composites({ target: 'class' })`" },
  'label map': { each: 'a label map', such: "`ade20k` or `composites({ target: 'label map' })`" },
  instances: { each: 'objects', such: "`coco` or `composites({ target: 'instances' })`" },
};

/**
 * That a data set has for each image what a task learns, as far as it says so.
 *
 * @param path of the task's config: where the issue is shown
 */
export function expectTarget(
  kind: TargetKind,
  data: WiredInput | undefined,
  path: WiringIssue['path'] = [],
): WiringIssue[] {
  const is = data?.facts.target;
  if (is === undefined || is === kind) return [];
  const other = wanted[is as TargetKind]?.each ?? String(is);
  const { each, such } = wanted[kind];
  const message = `${data!.name} has ${other} for each image, not ${each}`;
  return [{ path, message, hint: `take a data set such as ${such}` }];
}

/** That every object of a data set has a mask, as far as it says so. */
export function expectMasks(data: WiredInput | undefined, path: WiringIssue['path'] = []): WiringIssue[] {
  if (data?.facts.masks !== false) return [];
  const message = `${data.name} has objects without a mask, with boxes only`;
  return [{ path, message, hint: 'add `segmentation` to their annotations, or remove them' }];
}

/**
 * That a data set has objects, as far as it says so: to learn from, `learnt`, or to be found. Groups are neither.
 */
export function expectObjects(data: WiredInput | undefined, use: 'learnt' | 'found'): WiringIssue[] {
  const fact = use === 'learnt' ? 'withObjects' : 'objects';
  if (data?.facts[fact] !== 0) return [];
  const message = `${data.name} has no object that ${use === 'learnt' ? 'is learnt from' : 'is to be found'}`;
  return [{ path: [], message, hint: 'groups (`iscrowd`) and objects without an outline are not enough' }];
}
