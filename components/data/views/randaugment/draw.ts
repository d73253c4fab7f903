import type { Random } from '../../../nn/random.ts';
import type { RandAugment } from './config.ts';

/** One change of a picture; what `amount` is depends on its kind. */
export interface Operation {
  readonly kind: OperationKind;
  readonly amount: number;
}

/** In timm's order. */
export const OPERATIONS = [
  'autoContrast',
  'equalize',
  'invert',
  /** Degrees, counter-clockwise. */
  'rotate',
  /** How many of the upper bits stay. */
  'posterize',
  /** From which byte on bytes are inverted. */
  'solarize',
  /** How much is added to bytes below 128. */
  'solarizeAdd',
  /** Factors as those of the jitter. */
  'saturation',
  'contrast',
  'brightness',
  /** 0: smooth, 1: as it is. */
  'sharpness',
  /** Pixels that rows move per pixel downwards, and columns per pixel to the right. */
  'shearX',
  'shearY',
  /** Parts of the side of the picture. */
  'translateX',
  'translateY',
] as const;

export type OperationKind = (typeof OPERATIONS)[number];

/** The changes of one picture. As many numbers are drawn for each layer whatever becomes of it. */
export function drawOperations(config: RandAugment, random: Random): Operation[] {
  const { magnitude, deviation, layers, probability, increasing } = config;
  const drawn: Operation[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const kind = OPERATIONS[random.int(OPERATIONS.length)]!;
    const made = random.uniform() < probability;
    const level = Math.max(0, Math.min(magnitude + deviation * random.normal(), 10));
    const sign = random.uniform() < 0.5 ? 1 : -1;
    if (made) drawn.push({ kind, amount: amountOf(kind, level, { sign, increasing }) });
  }
  return drawn;
}

/** What a level from 0 to 10 means: timm's LEVEL_TO_ARG. */
export function amountOf(
  kind: OperationKind,
  level: number,
  { sign, increasing }: { readonly sign: 1 | -1; readonly increasing: boolean },
): number {
  const share = level / 10;
  switch (kind) {
    case 'rotate':
      return sign * (share * 30);
    case 'posterize':
      return increasing ? 4 - Math.trunc(share * 4) : Math.trunc(share * 4);
    case 'solarize': {
      const from = Math.min(256, Math.trunc(share * 256));
      return increasing ? 256 - from : from;
    }
    case 'solarizeAdd':
      return Math.min(128, Math.trunc(share * 110));
    case 'saturation':
    case 'contrast':
    case 'brightness':
    case 'sharpness':
      return increasing ? Math.max(0.1, 1 + sign * (share * 0.9)) : share * 1.8 + 0.1;
    case 'shearX':
    case 'shearY':
      return sign * (share * 0.3);
    case 'translateX':
    case 'translateY':
      return sign * (share * 0.45);
    default:
      return 0;
  }
}
