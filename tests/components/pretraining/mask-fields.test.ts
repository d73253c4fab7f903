import test from 'ava';
import fc from 'fast-check';
import { vit, vitSchema } from '../../../components/backbone/config.ts';
import { random } from '../../../components/nn/random.ts';
import { maskIssues, maskingOf } from '../../../components/pretraining/mask-fields.ts';
import { blockMask } from '../../../components/pretraining/masking.ts';
import { maskedImageModelling } from '../../../components/pretraining/mim/config.ts';

const defaults = maskedImageModelling({ backbone: vit('base/16'), steps: 1 }).config as {
  readonly maskRatio: number;
  readonly clipNorm: number;
  readonly backbone: { readonly layerScaleInit: number };
};

test("at 224 pixels the defaults are BEiT's", (t) => {
  // microsoft/unilm, beit: 75 of 196, min_mask_patches_per_block 16, layer_scale_init_value 0.1 (B) and 1e-5 (L), clip 3.
  t.deepEqual(maskingOf(defaults, 224 / 16), { side: 14, count: 75, minPatches: 16 });
  t.is(defaults.backbone.layerScaleInit, 0.1);
  t.is(defaults.clipNorm, 3);
  t.is(vitSchema.parse(vit('large/16')).layerScaleInit, 1e-5);
  t.is(vitSchema.parse(vit('base/16', { layerScaleInit: 0 })).layerScaleInit, 0);
});

test('on other grids the defaults are the same shares', (t) => {
  const of = (side: number) => maskingOf(defaults, side);
  t.deepEqual(of(4), { side: 4, count: 6, minPatches: 2 });
  t.deepEqual(of(2), { side: 2, count: 2, minPatches: 1 });
  t.deepEqual(of(3), { side: 3, count: 3, minPatches: 2 });
  t.deepEqual(of(8), { side: 8, count: 24, minPatches: 5 });
  t.deepEqual(of(16), { side: 16, count: 98, minPatches: 21 });
  for (let side = 2; side < 40; side++) t.deepEqual(maskIssues(defaults, side), [], String(side));
});

test('masks that cannot be are refused, with the limit', (t) => {
  t.snapshot(maskIssues({ maskRatio: 0.4, minMaskPatches: 40 }, 4), 'more than are masked');
  t.snapshot(maskIssues({ maskRatio: 0.9, minMaskPatches: 10 }, 4), 'larger than a block can be');
  t.snapshot(maskIssues({ maskRatio: 0.4, minMaskPatches: 2 }, 2), 'of 2 x 2 patches');
  t.snapshot(maskIssues({ maskRatio: 0.01 }, 4), 'none is masked');
  t.snapshot(maskIssues({ maskRatio: 0.99 }, 4), 'all are masked');
});

test('a share within the limits that a refusal names is accepted', (t) => {
  for (let side = 2; side < 30; side++) {
    const [low] = maskIssues({ maskRatio: 1e-6 }, side);
    const [least, most] = low!.message.match(/[\d.]+/g)!.map(Number);
    for (const maskRatio of [least!, most!])
      t.deepEqual(maskIssues({ maskRatio }, side), [], `${side} ${maskRatio}`);
  }
});

test('what is not refused can be masked: never nothing, never all', (t) => {
  const holds = () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 20 }),
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }),
        fc.nat(),
        (side, maskRatio, minMaskPatches, seed) => {
          const fields = { maskRatio, minMaskPatches };
          if (maskIssues(fields, side).length > 0) return true;
          const options = maskingOf(fields, side);
          const masked = blockMask(random(seed, 'mask'), options).reduce((sum, flag) => sum + flag, 0);
          return masked > 0 && masked < side ** 2 && (side >= 14 || masked === options.count);
        },
      ),
      { numRuns: 500, seed: 4 },
    );
  t.notThrows(holds);
});
