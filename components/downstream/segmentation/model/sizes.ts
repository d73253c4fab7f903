import { pyramidNorm } from '../../../backbone/pyramid-config.ts';

/** Places a side of the pyramid pooling module. */
export const poolScales = [1, 2, 3, 6] as const;

/** Channels of each batch norm of a network, by name. */
export function normChannels({
  dim,
  channels,
  auxiliary,
}: {
  readonly dim: number;
  readonly channels: number;
  /** Absent: there is no auxiliary head. */
  readonly auxiliary?: number | undefined;
}): { readonly [layer: string]: number } {
  const own = [
    ...poolScales.map((_, place) => `pool${place}`),
    ...[0, 1, 2].flatMap((place) => [`lateral${place}`, `output${place}`]),
    'bottleneck',
    'fusion',
  ];
  return {
    [pyramidNorm]: dim,
    ...Object.fromEntries(own.map((name) => [name, channels])),
    ...(auxiliary === undefined ? {} : { auxiliary }),
  };
}
