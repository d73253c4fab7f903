import type { SmokeChanges, SmokeInput } from '../../framework/stage/component.ts';
import { smokeSize } from '../nn/smoke.ts';
import type { Crop } from './views/view.ts';

/** Labels of each class, at most. */
const labelsPerClass = 2;

/** Labels of a smoke run: of each class two, or as many as the rarest has. */
export function smokeLabels(labels: number, train: SmokeInput | undefined): number {
  const perClass = train?.smoke.perClass;
  const counts = Array.isArray(perClass) ? (perClass as readonly number[]) : undefined;
  const present = counts?.filter((images) => images > 0);
  const classes = present?.length ?? train?.smoke.classes;
  if (typeof classes !== 'number') return labels;
  const few = classes * Math.min(labelsPerClass, ...(present ?? []));
  // Where the data of the smoke run have more classes, fewer labels wouldn't do.
  return labels < classes ? few : Math.min(labels, few);
}

/**
 * A view of pictures of another size: what leaves the size to the data does so in a smoke run, too. A crop that shifts moves
 * them less.
 *
 * @param size what `view.size` becomes; absent: 32 pixels at most
 */
export function smokeView(
  view: { readonly size?: number | undefined; readonly crop?: Crop },
  size = Math.min(view.size ?? smokeSize, smokeSize),
): SmokeChanges {
  const { crop } = view;
  return {
    ...(view.size === undefined ? {} : { size }),
    ...(crop?.kind === 'shift' ? { crop: { ...crop, distance: Math.min(crop.distance, size - 1, 2) } } : {}),
  };
}

interface Edged {
  readonly size?: number | undefined;
  readonly shorter?: number | readonly number[] | undefined;
  readonly longer?: number | undefined;
  readonly maxInstances?: number;
}

/** Objects of an image in a smoke run, at most. */
const someInstances = 8;

/**
 * A view of `dense/` whose pictures have another size: edges are as much shorter, and factors stay.
 *
 * @param sizes height and width of the pictures in the real run and in the smoke run
 */
export function smokeDenseView(
  { size, shorter, longer, maxInstances }: Edged,
  sizes: { readonly real: number; readonly smoke: number },
): SmokeChanges {
  const shorten = (edge: number): number => Math.max(1, Math.floor((edge * sizes.smoke) / sizes.real));
  return {
    ...(size === undefined ? {} : { size: sizes.smoke }),
    ...(shorter === undefined
      ? {}
      : { shorter: typeof shorter === 'number' ? shorten(shorter) : shorter.map(shorten) }),
    ...(longer === undefined ? {} : { longer: shorten(longer) }),
    ...(maxInstances === undefined ? {} : { maxInstances: Math.min(maxInstances, someInstances) }),
  };
}
