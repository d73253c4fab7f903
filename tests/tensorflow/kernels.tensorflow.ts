import { agreesOn } from '../components/engine/kernels/agrees-on.ts';
import { onTensorflow } from '../components/engine/kernels/on-tensorflow.ts';
import { withTensorflow } from './support/library.ts';

await withTensorflow(() => agreesOn('tensorflow', { notFinite: onTensorflow }));
