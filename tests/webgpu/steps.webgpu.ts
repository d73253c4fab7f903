import { proveAll } from '../components/engine/steps/support/prove-all.ts';
import { withWebgpu } from './support/device.ts';

await withWebgpu(() => proveAll('onnx:webgpu'));
