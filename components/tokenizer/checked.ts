import type { Tensor } from '@tensorflow/tfjs-core';
import type { StageInput } from '../../framework/stage/contract.ts';
import type { JsonObject } from '../../framework/stage/json.ts';
import { StageError } from '../../framework/stage/stage-error.ts';
import { describeSpec, describeValue } from '../engine/check.ts';
import type { TensorSpec } from '../engine/types.ts';
import type { Tokenizer } from './tokenizer.ts';

/**
 * What `load` of a tokenizer's component gives, which may be one of a user's own: tensors of another shape would be read as
 * if they were right.
 *
 * @throws StageError that names the tokenizer, if what it gives isn't what `Tokenizer` says; `encode` and `decode` of the
 * result throw such errors when they are recorded
 */
export async function loadChecked(input: StageInput<JsonObject, Tokenizer>): Promise<Tokenizer> {
  const loaded = await input.load();
  const name = `the tokenizer "${input.kind}"`;
  checkParts(loaded, name);
  const { vocabulary, stride, codebook, weights } = loaded;
  return {
    ...{ vocabulary, stride, codebook, weights },
    encode(given, images) {
      const [batch, height, width] = images.shape as [number, number, number];
      const wanted: TensorSpec = { dtype: 'int32', shape: [batch, (height / stride) * (width / stride)] };
      const hint = `\`encode\` gives a code for each square of ${stride} pixels, row by row`;
      return as(wanted, loaded.encode(given, images), { what: `${name}: encode`, hint });
    },
    decode(given, codes) {
      const pictures = loaded.decode(given, codes);
      const [batch, tokens] = codes.shape as [number, number];
      const [height, width] = sides(pictures, tokens * stride ** 2);
      const wanted: TensorSpec = { dtype: 'float32', shape: [batch, height, width, 3] };
      const hint = `\`decode\` gives pictures, ${stride} pixels a side for each code, colours last`;
      return as(wanted, pictures, { what: `${name}: decode`, hint });
    },
  };
}

function checkParts(loaded: Tokenizer, name: string): void {
  const hint = '`load` returns vocabulary, stride, codebook, weights, encode and decode: see `Tokenizer`';
  for (const part of ['encode', 'decode'] as const)
    if (typeof loaded?.[part] !== 'function')
      throw new StageError(`${name}: its \`load\` gives no function ${part}`, { hint });
  for (const part of ['vocabulary', 'stride'] as const) {
    const value: unknown = loaded[part];
    if (!Number.isInteger(value) || (value as number) < 1)
      throw new StageError(`${name}: its ${part} is ${String(value)}`, {
        hint: 'give a whole number above 0',
      });
  }
  const shape = loaded.codebook?.shape;
  if (shape?.length !== 2 || shape[0] !== loaded.vocabulary)
    throw new StageError(
      `${name}: its codebook has the shape [${shape?.join(', ') ?? ''}], not [${loaded.vocabulary}, dim]`,
      { hint: 'give a vector for each code: `vocabulary` says how many there are' },
    );
}

/** Height and width of pictures that have as many pixels as there should be; otherwise those of a square. */
function sides(pictures: Tensor, pixels: number): readonly number[] {
  // `as` says what it is, if it is no tensor.
  const shape = pictures?.shape ?? [];
  const given = shape.slice(1, 3);
  const side = Math.sqrt(pixels);
  return shape.length === 4 && given[0]! * given[1]! === pixels ? given : [side, side];
}

function as(wanted: TensorSpec, given: Tensor, { what, hint }: { what: string; hint: string }): Tensor {
  const [is, must] = [describeValue(given), describeSpec(wanted)];
  if (is !== must) throw new StageError(`${what} gives ${is}, not ${must}`, { hint });
  return given;
}
