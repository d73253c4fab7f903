import { agreesOn } from '../components/engine/kernels/agrees-on.ts';
import { coarseOnWebgpu, notFiniteOnWebgpu } from '../components/engine/kernels/on-webgpu.ts';
import { withWebgpu } from './support/device.ts';

await withWebgpu(() => agreesOn('onnx:webgpu', { notFinite: notFiniteOnWebgpu, coarse: coarseOnWebgpu }));
