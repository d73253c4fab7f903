import type { RotateWithOffsetAttrs } from '@tensorflow/tfjs-core';
import type { Graph } from '../graph/graph.ts';
import { concat, expand, reshape, slice } from '../graph/shape.ts';
import type { Value } from '../graph/value.ts';
import { rotatedSources } from '../rotate-rules.ts';
import { gatherAxis } from './gather.ts';
import type { Lowerings } from './lowering.ts';
import { withAttributes } from './lowering.ts';

/** tfjs takes the fourth channel for opacity. */
const opaque = 255;

/** A pixel that holds the fill value follows each image: that is where pixels from outside come from. */
function rotate(g: Graph, image: Value, { radians, fillValue, center }: RotateWithOffsetAttrs): Value {
  const [batch, height, width, channels] = image.shape as [number, number, number, number];
  const fill = Float32Array.from({ length: channels }, (_, channel) => {
    if (typeof fillValue === 'number') return fillValue;
    return channel === 3 ? opaque : fillValue[channel]!;
  });
  const outside = expand(g, g.constant(fill, 'float32', [1, 1, channels]), [batch, 1, channels]);
  const pixels = concat(g, [reshape(g, image, [batch, height * width, channels]), outside], 1);
  const sources = g.constant(rotatedSources([height, width], radians, center), 'int32', [height * width]);
  return reshape(g, gatherAxis(g, pixels, sources, 1), image.shape);
}

export const rotateLowerings: Lowerings = {
  RotateWithOffset: withAttributes<RotateWithOffsetAttrs>((g, { image }, attributes) =>
    rotate(g, image, attributes),
  ),
  FlipLeftRight: (g, { image }) => {
    const width = image.shape[2]!;
    return slice(g, image, [{ axis: 2, start: width - 1, count: width, step: -1 }]);
  },
};
