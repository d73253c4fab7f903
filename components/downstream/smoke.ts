import type { SmokeChanges, SmokeContext } from '../../framework/stage/component.ts';
import { factOf } from '../../framework/stage/expect.ts';
import type { VitConfig } from '../backbone/config.ts';
import { smokeVit } from '../backbone/smoke.ts';
import { smokeView } from '../data/smoke.ts';
import { smokeGeometry } from '../nn/smoke.ts';

interface Seeing {
  readonly backbone?: VitConfig | undefined;
  readonly view: Parameters<typeof smokeView>[0];
}

/** The backbone and the pictures of a task in a smoke run: those of the pretraining, or its own where there is none. */
export function smokeSeen({ backbone, view }: Seeing, { inputs }: SmokeContext): SmokeChanges {
  const { train, pretrained } = inputs;
  const size = view.size ?? factOf(train, 'size') ?? 0;
  if (pretrained) {
    const [before, after] = [factOf(pretrained, 'size'), pretrained.smoke.size];
    const isSame = typeof after === 'number' && (before === undefined || before === size);
    const own = backbone ? { backbone: smokeVit(backbone) } : {};
    return { ...own, view: smokeView(view, isSame ? after : largerThan(pretrained.smoke)) };
  }
  if (!backbone) return { view: smokeView(view) };
  const smaller = smokeGeometry({ size, stride: backbone.patch });
  return { backbone: smokeVit(backbone, smaller.stride), view: smokeView(view, smaller.size) };
}

/** Pictures of another size than those of the pretraining: two patches more a side. */
function largerThan({
  size,
  patch,
}: NonNullable<SmokeContext['inputs'][string]>['smoke']): number | undefined {
  return typeof size === 'number' && typeof patch === 'number' ? size + 2 * patch : undefined;
}
