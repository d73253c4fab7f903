import { sizeOf } from '../../graph/value.ts';
import { attribute } from '../graph-def.ts';
import type { Operators } from './operator.ts';
import { intAttribute, intsAttribute, outputShape } from './operator.ts';

export const poolOperators: Operators = {
  /** With padding that counts, as the lowering of local response normalisation uses it: each plane is an image. */
  AveragePool: ({ b, node, inputs }) => {
    const [x] = inputs;
    if (intAttribute(node, 'count_include_pad') !== 1)
      throw new Error('padding that does not count is lowered natively');
    const [batch, channels, height, width] = x!.shape as [number, number, number, number];
    const [top, left, bottom, right] = intsAttribute(node, 'pads') as [number, number, number, number];
    const planes = [batch * channels, height, width, 1];
    const padded = [batch * channels, height + top + bottom, width + left + right, 1];
    const shape = outputShape(node);
    const flat = b.add('Reshape', [x!, b.ints(planes)], planes);
    const widths = b.ints([0, 0, top, bottom, left, right, 0, 0], [4, 2]);
    const wide = b.add('PadV2', [flat, widths, b.splat('float32', [], 0)], padded);
    const pooled = [batch * channels, shape[2]!, shape[3]!, 1];
    const means = b.add('AvgPool', [wide], pooled, {
      ksize: attribute.ints([1, ...intsAttribute(node, 'kernel_shape')!, 1]),
      strides: attribute.ints([1, ...intsAttribute(node, 'strides')!, 1]),
      padding: attribute.text('VALID'),
    });
    if (sizeOf(pooled) !== sizeOf(shape)) throw new Error('the pooled planes have another size');
    return b.add('Reshape', [means, b.ints(shape)], shape);
  },
};
