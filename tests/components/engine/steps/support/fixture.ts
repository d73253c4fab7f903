import { readFileSync } from 'node:fs';
import type { HostTensor } from '../../../../../components/engine/types.ts';
import { toHost } from '../../../../../components/weights/raw.ts';
import { parseSafetensors } from '../../../../../components/weights/safetensors.ts';

const FOLDER = new URL('../../../../fixtures/steps/', import.meta.url);

/** How large the steps are: `small` has committed fixtures, the others are for tests/long. `base` is ViT-B/16. */
export type Size = 'small' | 'large' | 'base';

/** One entry of specs.json, which PyTorch's side reads too. `Config` is the input of the component's constructor. */
export interface Spec<Config> {
  /** In the name of every weight and every batch. */
  readonly seed: string;
  readonly imageSize: number;
  readonly config: Config;
}

export function readSpec<T extends Spec<unknown>>(size: Size, name: string): T {
  const specs = JSON.parse(readFileSync(new URL('specs.json', FOLDER), 'utf8')) as {
    readonly [size: string]: { readonly [name: string]: T };
  };
  return specs[size][name];
}

/** What PyTorch computed in float64, rounded to float32; make.py says which names there are. */
export type Expected = { readonly [name: string]: HostTensor };

export function readExpected(name: string, folder: URL | string = FOLDER): Expected {
  const file = new URL(`${name}.safetensors`, folder);
  const { tensors } = parseSafetensors(readFileSync(file), file.pathname);
  return Object.fromEntries(Object.entries(tensors).map(([path, raw]) => [path, toHost(raw)]));
}

/** The entries below `prefix/`, without it. */
export function below(expected: Expected, prefix: string): Expected {
  return Object.fromEntries(
    Object.entries(expected)
      .filter(([path]) => path.startsWith(`${prefix}/`))
      .map(([path, tensor]) => [path.slice(prefix.length + 1), tensor]),
  );
}

const SAMPLES = 256;
const STRIDE = 7919;

/** Which entries of a tensor of `size` numbers the fixture holds: all of a small one, else some at a prime stride. */
export function sampledEntries(size: number, samples = SAMPLES): number[] {
  return Array.from({ length: Math.min(size, samples) }, (_, i) =>
    size <= samples ? i : (i * STRIDE) % size,
  );
}
