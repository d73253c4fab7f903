import type { Graph } from '../graph/graph.ts';
import { gemm } from '../graph/matmul.ts';
import { concat, inThisOrder, pad, reshape, slice, transpose } from '../graph/shape.ts';
import type { Value } from '../graph/value.ts';
import type { Info, Shape4 } from './conv-info.ts';
import { gatherAxis } from './gather.ts';

/**
 * All windows of x [batch, height, width, channels] as the rows of one matrix ("im2col"):
 * [batch * outHeight * outWidth, filterHeight * filterWidth * channels]. One Gather copies them, all channels of a pixel at
 * once: number by number, as from an image with channels first, it takes ten times as long.
 */
function windows(g: Graph, x: Value, info: Info): Value {
  const { batchSize, outHeight, outWidth, filterHeight, filterWidth, inChannels } = info;
  const rows = batchSize * outHeight * outWidth;
  const columns = filterHeight * filterWidth * inChannels;
  const whole = filterHeight * filterWidth === 1 && info.strideHeight === 1 && info.strideWidth === 1;
  const padded = padWindows(g, x, info);
  if (whole) return reshape(g, padded, [rows, columns]);
  const [, height, width] = padded.shape as Shape4;
  const pixels = inThisOrder(g, padded, [batchSize, height * width, inChannels]);
  return reshape(g, gatherAxis(g, pixels, windowIndices(g, info, width), 1), [rows, columns]);
}

/** The pixels of each window, counted row by row in an image that is `width` wide. */
function windowIndices(g: Graph, info: Info, width: number): Value {
  const { outHeight, outWidth, filterHeight, filterWidth } = info;
  const indices = new Int32Array(outHeight * outWidth * filterHeight * filterWidth);
  let next = 0;
  for (let top = 0; top < outHeight; top++) {
    for (let left = 0; left < outWidth; left++) {
      for (let row = 0; row < filterHeight; row++) {
        for (let column = 0; column < filterWidth; column++) {
          const y = top * info.strideHeight + row * info.dilationHeight;
          const x = left * info.strideWidth + column * info.dilationWidth;
          indices[next++] = y * width + x;
        }
      }
    }
  }
  return g.constant(indices, 'int32', [indices.length]);
}

const plain = (value: Value) => ({ value, transposed: false });

/** A convolution as the matrix of its windows times the filter, in NHWC. */
export function convByWindows(g: Graph, x: Value, filter: Value, info: Info): Value {
  const { batchSize, outHeight, outWidth, inChannels, outChannels, filterHeight, filterWidth } = info;
  const matrix = reshape(g, filter, [filterHeight * filterWidth * inChannels, outChannels]);
  const product = gemm(g, plain(windows(g, x, info)), plain(matrix));
  return reshape(g, product, [batchSize, outHeight, outWidth, outChannels]);
}

/**
 * Up to this many numbers in the matrix of windows it is the faster way: one product for the whole batch instead of
 * one an image, no transposes, and the gradient to the filter uses the same matrix. Beyond, memory would suffer.
 */
const largestWindows = 4 * 2 ** 20;

/** A frozen filter has no gradient, and ONNX Runtime lays it out for its own kernel, which wins on images of this size. */
const frozenPixels = 64;

/** Should a convolution be computed by windows? */
export function preferWindows(info: Info, filter: Value): boolean {
  const { batchSize, outHeight, outWidth, inChannels, filterHeight, filterWidth } = info;
  if (isFrozen(filter) && outHeight * outWidth >= frozenPixels) return false;
  return batchSize * outHeight * outWidth * inChannels * filterHeight * filterWidth <= largestWindows;
}

/** Known while recording, or made of such by moving. */
function isFrozen({ source }: Value): boolean {
  if (source.kind !== 'node') return source.kind === 'constant';
  return source.node.inputs.every((input) => input === undefined || isFrozen(input));
}

/** Beyond this many numbers the matrix of windows is never made: half a gigabyte. */
const hugeWindows = 2 ** 27;

/**
 * Gradient of a convolution to its filter: the windows, transposed, times dy. x and dy in NHWC. Where the windows are
 * many, dy, which is smaller, is transposed instead, and then the product. Where they would be gigabytes, each place of the
 * filter has a product of its own.
 */
export function convFilterGradient(g: Graph, x: Value, dy: Value, info: Info): Value {
  const { batchSize, outHeight, outWidth, inChannels, outChannels, filterHeight, filterWidth } = info;
  const places = batchSize * outHeight * outWidth;
  const rows = reshape(g, dy, [places, outChannels]);
  const shape = [filterHeight, filterWidth, inChannels, outChannels];
  const numbers = places * filterHeight * filterWidth * inChannels;
  if (numbers > hugeWindows && filterHeight * filterWidth > 1) {
    const parts = shiftedInputs(g, x, info).map((matrix) => transposedProduct(g, matrix, rows));
    return reshape(g, concat(g, parts, 0), shape);
  }
  const matrix = windows(g, x, info);
  const product =
    numbers > largestWindows
      ? transposedProduct(g, matrix, rows)
      : gemm(g, { value: matrix, transposed: true }, plain(rows));
  return reshape(g, product, shape);
}

/** matrix [rows, columns], transposed, times rows [rows, out]: what is smaller is transposed. */
function transposedProduct(g: Graph, matrix: Value, rows: Value): Value {
  return matrix.shape[1]! > rows.shape[1]!
    ? transpose(g, gemm(g, { value: rows, transposed: true }, plain(matrix)), [1, 0])
    : gemm(g, { value: matrix, transposed: true }, plain(rows));
}

/** For each place of the filter, row by row, the pixels that it meets: [batch * outHeight * outWidth, channels] each. */
function shiftedInputs(g: Graph, x: Value, info: Info): Value[] {
  const { batchSize, outHeight, outWidth, filterHeight, filterWidth, inChannels } = info;
  const padded = padWindows(g, x, info);
  const along = (axis: number, start: number, count: number, step: number) => ({ axis, start, count, step });
  return Array.from({ length: filterHeight * filterWidth }, (_, place) => {
    const top = Math.floor(place / filterWidth) * info.dilationHeight;
    const left = (place % filterWidth) * info.dilationWidth;
    const met = slice(g, padded, [
      along(1, top, outHeight, info.strideHeight),
      along(2, left, outWidth, info.strideWidth),
    ]);
    return reshape(g, met, [batchSize * outHeight * outWidth, inChannels]);
  });
}

/** x [batch, height, width, channels] with all the pixels that windows reach. */
function padWindows(g: Graph, x: Value, { padInfo }: Info): Value {
  return pad(g, x, [
    [0, 0],
    [padInfo.top, padInfo.bottom],
    [padInfo.left, padInfo.right],
    [0, 0],
  ]);
}
