/**
 * Makes inception-stem.safetensors from the npm package nsfwjs 4.3.0 (MIT):
 *
 *     npm pack nsfwjs@4.3.0 && tar xzf nsfwjs-4.3.0.tgz
 *     node --import=tsx components/perceptual/inception/convert.ts package
 *
 * The package stores weights as bytes with a minimum and a scale a tensor. The kernels' bytes are kept; the batch
 * normalisation behind each convolution is folded in: w' = w g and b' = beta - mean g with
 * g = 1 / sqrt(variance + epsilon), so minimum and scale become a number an output channel. Nothing is lost but the
 * rounding of those to float32.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RawTensor } from '../../weights/raw.ts';
import { formatSafetensors } from '../../weights/safetensors.ts';
import { CONVOLUTIONS } from './topology.ts';

const BATCH_NORM_EPSILON = 1e-3;

interface StoredTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly quantization: { readonly min: number; readonly scale: number; readonly dtype: 'uint8' };
}

interface StoredModel {
  readonly weightsManifest: readonly [
    { readonly paths: readonly string[]; readonly weights: readonly StoredTensor[] },
  ];
}

interface Quantised {
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
  readonly min: number;
  readonly scale: number;
}

function readTensors(folder: string): Map<string, Quantised> {
  const require = createRequire(join(folder, 'index.js'));
  const [{ paths, weights }] = (require('./model.min.js') as StoredModel).weightsManifest;
  const shards = paths.map((_, i) => require(`./group1-shard${i + 1}of${paths.length}.min.js`) as string);
  const bytes = Buffer.concat(shards.map((shard) => Buffer.from(shard, 'base64')));
  const tensors = new Map<string, Quantised>();
  let offset = 0;
  for (const { name, shape, quantization } of weights) {
    const length = shape.reduce((product, extent) => product * extent, 1);
    const { min, scale } = quantization;
    tensors.set(name, { shape, bytes: bytes.subarray(offset, offset + length), min, scale });
    offset += length;
  }
  if (offset !== bytes.length)
    throw new Error(`${folder}: ${bytes.length} bytes of weights, but ${offset} described`);
  return tensors;
}

function fold(
  tensors: Map<string, Quantised>,
  index: string,
  shape: readonly number[],
): { [name: string]: RawTensor } {
  const find = (name: string): Quantised => {
    const tensor = tensors.get(name);
    if (!tensor) throw new Error(`the model has no tensor "${name}"`);
    return tensor;
  };
  const values = (name: string): number[] => {
    const { bytes, min, scale } = find(`batch_normalization_${index}/${name}`);
    return Array.from(bytes, (byte) => min + scale * byte);
  };
  const kernel = find(`conv2d_${index}/kernel`);
  if (String(kernel.shape) !== String(shape))
    throw new Error(`conv2d_${index} is [${kernel.shape}], not [${shape}]`);
  const gains = values('moving_variance').map((variance) => 1 / Math.sqrt(variance + BATCH_NORM_EPSILON));
  const means = values('moving_mean');
  const betas = values('beta');
  const name = `conv2d_${index}`;
  return {
    [`${name}/kernel`]: { type: 'U8', shape, bytes: kernel.bytes },
    [`${name}/kernel.min`]: floats(gains.map((gain) => kernel.min * gain)),
    [`${name}/kernel.scale`]: floats(gains.map((gain) => kernel.scale * gain)),
    [`${name}/bias`]: floats(betas.map((beta, channel) => beta - means[channel] * gains[channel])),
  };
}

function floats(values: readonly number[]): RawTensor {
  const data = Float32Array.from(values);
  return { type: 'F32', shape: [data.length], bytes: new Uint8Array(data.buffer) };
}

function convert(packageFolder: string): void {
  const { name, version, license } = JSON.parse(
    readFileSync(join(packageFolder, 'package.json'), 'utf8'),
  ) as {
    readonly [field: string]: string;
  };
  if (name !== 'nsfwjs' || version !== '4.3.0') throw new Error(`${packageFolder} is ${name} ${version}`);
  const stored = readTensors(join(packageFolder, 'dist/models/inception_v3'));
  const tensors = Object.assign(
    {},
    ...CONVOLUTIONS.map((conv) => fold(stored, conv.name.replace('conv2d_', ''), conv.shape)),
  ) as { [name: string]: RawTensor };
  const metadata = {
    source: `${name} ${version}`,
    licence: license,
    network: 'InceptionV3, input to mixed1',
  };
  const target = fileURLToPath(new URL('./inception-stem.safetensors', import.meta.url));
  writeFileSync(target, formatSafetensors({ tensors, metadata }));
}

const folder = process.argv[2];
if (folder === undefined) throw new Error('where is the unpacked package nsfwjs 4.3.0?');
convert(resolve(folder));
