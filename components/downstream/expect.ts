import type { WiredInput, WiredInputs, WiringIssue } from '../../framework/stage/component.ts';
import { expectAlike, factOf } from '../../framework/stage/expect.ts';
import { expectPatches, type VitConfig } from '../backbone/config.ts';
import { expectClasses, expectLabels } from '../data/expect-labels.ts';
import { expectSize, seenBy } from '../data/views/expect.ts';

interface Classification {
  /** Absent: those of all images. */
  readonly labels?: number | undefined;
  readonly backbone?: VitConfig | undefined;
  readonly view: { readonly size?: number | undefined };
}

/** What every task that classifies images with labels expects of its data, and of a row without pretraining. */
export function expectClassification(
  { labels, backbone, view }: Classification,
  inputs: WiredInputs,
): WiringIssue[] {
  const { train } = inputs;
  return [
    ...(labels === undefined
      ? expectClasses(train, ['labels'])
      : expectLabels({ path: ['labels'], value: labels }, train)),
    ...expectSize(view, train),
    ...expectAlike('test', inputs, 'train', [
      ...(view.size === undefined ? ['size'] : []),
      'channels',
      'classes',
    ]),
    ...expectSameClasses(inputs),
    ...expectBackbone({ backbone, view }, inputs),
  ];
}

/** That patches tile what a task sees of its images, and that a row without pretraining has a network. */
export function expectBackbone(
  { backbone, view }: Pick<Classification, 'backbone' | 'view'>,
  { train, pretrained }: WiredInputs,
): WiringIssue[] {
  const seen = seenBy(view, train);
  return pretrained ? expectTiles(seen, pretrained) : expectOwnBackbone(backbone, seen);
}

/** A class is its place among the names: with other names a label would mean something else. */
export function expectSameClasses({ train, test }: WiredInputs): WiringIssue[] {
  const [mine, theirs] = [test, train].map((data) => data?.facts.classNames as readonly string[] | undefined);
  if (!mine || !theirs || mine.length !== theirs.length) return [];
  const odd = mine.findIndex((name, place) => name !== theirs[place]);
  if (odd < 0) return [];
  const message = `expected the classes of ${train!.name}: class ${odd} is ${theirs[odd]}, not ${mine[odd]}`;
  return [{ path: ['classes'], of: 'test', message }];
}

/**
 * Positions are resized for images of another size, but patches tile them. A network that doesn't tell its patches sees
 * images of one size.
 */
function expectTiles(seen: WiredInput | undefined, pretrained: WiredInput): WiringIssue[] {
  const [mine, theirs, patch] = [
    factOf(seen, 'size'),
    factOf(pretrained, 'size'),
    factOf(pretrained, 'patch'),
  ];
  if (mine === undefined) return [];
  // Also of a pretraining that doesn't say what it sees: it sees whole patches.
  if (patch === undefined ? theirs === undefined || mine === theirs : mine % patch === 0) return [];
  const expected =
    patch === undefined
      ? `${theirs}, the size that ${pretrained.name} sees`
      : `a multiple of ${patch}, the patch of ${pretrained.name}`;
  return [{ path: ['view', 'size'], message: `expected ${expected}, not ${mine}` }];
}

function expectOwnBackbone(backbone: VitConfig | undefined, train: WiredInput | undefined): WiringIssue[] {
  if (backbone) return expectPatches(backbone, ['backbone'], train);
  const hint = 'give it `backbone: vit({...})`';
  return [{ path: ['backbone'], message: 'is missing: a row without pretraining has no network', hint }];
}
