import type { HostTensor } from '../engine/types.ts';
import type { Random } from './random.ts';
import { hostTensor } from './tree.ts';

function filled(shape: readonly number[], draw: () => number): HostTensor {
  const tensor = hostTensor(shape);
  const data = tensor.data as Float32Array;
  for (let i = 0; i < data.length; i++) data[i] = draw();
  return tensor;
}

/** Zeros, float32. */
export function zeros(...shape: number[]): HostTensor {
  return hostTensor(shape);
}

/** The same number everywhere, float32. */
export function constant(value: number, ...shape: number[]): HostTensor {
  return filled(shape, () => value);
}

/** Normal numbers of this standard deviation around 0. */
export function normal(random: Random, standardDeviation: number, ...shape: number[]): HostTensor {
  return filled(shape, () => random.normal() * standardDeviation);
}

/**
 * Normal, redrawn outside +-`cut` standard deviations. BEiT's `trunc_normal_` cuts at one standard deviation
 * (microsoft/unilm, beit/modeling_pretrain.py; issue 914 there), hence the default.
 */
export function truncatedNormal(random: Random, std: number, shape: readonly number[], cut = 1): HostTensor {
  return filled(shape, () => {
    let value = random.normal();
    while (Math.abs(value) > cut) value = random.normal();
    return value * std;
  });
}

/** Uniform in +-sqrt(1 / fanIn): PyTorch's default for convolutions and linear layers. HWIO or [in, out] kernels. */
export function fanInUniform(random: Random, ...shape: number[]): HostTensor {
  const bound = Math.sqrt(1 / fanIn(shape));
  return filled(shape, () => (2 * random.uniform() - 1) * bound);
}

/** He et al. 2015: normal with variance 2 / fanIn, for layers in front of a ReLU. */
export function heNormal(random: Random, ...shape: number[]): HostTensor {
  return normal(random, Math.sqrt(2 / fanIn(shape)), ...shape);
}

function fanIn(shape: readonly number[]): number {
  return shape.slice(0, -1).reduce((product, n) => product * n, 1);
}
