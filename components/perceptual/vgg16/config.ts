import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { WiredInput, WiringIssue } from '../../../framework/stage/component.ts';
import { defineComponent } from '../../../framework/stage/define.ts';
import { factOf } from '../../../framework/stage/expect.ts';
import { weightsField, weightsFiles } from '../../weights/file.ts';
import { refusedFields } from '../../weights/refused.ts';
import { vggLayers } from '../vgg/architecture.ts';
import { vggUse } from '../vgg/costs.ts';
import { PUBLISHED, vgg16Of } from './architecture.ts';

const schema = z.strictObject({
  /** `file('vgg16-397923af.pth')`: names and layout of torchvision's VGG16. */
  weights: weightsField,
  /** Channels of the first stage: other numbers are for files of your own. */
  width: z.int().positive().default(64),
});

export type Vgg16Config = z.output<typeof schema>;
export type Vgg16Input = z.input<typeof schema>;

/** The smallest file of its kind, random numbers of width 2: see make-smoke.py. */
const smokeFile = fileURLToPath(new URL('./smoke.pth', import.meta.url));

/** Four poolings halve an image four times. */
const leastSize = 16;

/**
 * Makes VGG16 (Simonyan and Zisserman 2015) with weights that were trained elsewhere: what `vgg({ weights })` returns.
 *
 * @param others fields of a network that is trained here: beside `weights` they are errors
 */
export function defineVgg16(others: readonly string[]) {
  return defineComponent({
    role: 'network',
    kind: 'vgg16',
    schema: schema.extend(refusedFields(others, schema.shape)) as unknown as typeof schema,
    run: new URL('./stage.ts', import.meta.url).href,
    load: new URL('./load.ts', import.meta.url).href,
    files: (_config, { weights }) => weightsFiles(weights, PUBLISHED),
    // Nothing of it depends on a seed: all seeds of an experiment share one.
    derive: () => ({ seed: 0 }),
    offers: (config) => vggLayers(vgg16Of(config)),
    expects: (_config, { train }) => expectRoom(train),
    use: (config, size) => vggUse(vgg16Of(config), size),
    costs: () => ({ parameters: 0 }),
    smoke: () => ({ weights: { file: smokeFile, sha256: undefined }, width: 2 }),
  });
}

function expectRoom(train: WiredInput | undefined): WiringIssue[] {
  const size = factOf(train, 'size');
  if (size === undefined || size >= leastSize) return [];
  const message = `needs images of at least ${leastSize} pixels a side; those of ${train!.name} have ${size}`;
  return [{ path: ['weights'], message, hint: 'enlarge the images, or train a `vgg()` of fewer blocks' }];
}
