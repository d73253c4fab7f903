import type { WiredInputs, WiringIssue } from '../../framework/stage/component.ts';
import { expectAlike } from '../../framework/stage/expect.ts';
import { expectPatches, type VitConfig } from '../backbone/config.ts';
import { expectLabels } from '../data/expect-labels.ts';

interface Classification {
  readonly labels: number;
  readonly backbone?: VitConfig | undefined;
}

/** What every task that classifies images with labels expects of its data, and of a row without pretraining. */
export function expectClassification(
  { labels, backbone }: Classification,
  inputs: WiredInputs,
): WiringIssue[] {
  const { train, pretrained } = inputs;
  return [
    ...expectLabels({ path: ['labels'], value: labels }, train),
    ...expectAlike('test', inputs, 'train', ['size', 'channels', 'classes']),
    ...(pretrained ? [] : expectOwnBackbone(backbone, inputs)),
  ];
}

function expectOwnBackbone(backbone: VitConfig | undefined, { train }: WiredInputs): WiringIssue[] {
  if (backbone) return expectPatches(backbone, ['backbone'], train);
  const hint = 'give it `backbone: vit({...})`';
  return [{ path: ['backbone'], message: 'is missing: a row without pretraining has no network', hint }];
}
