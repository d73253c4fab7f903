import { movable, movesThere } from '../components/support/moving.ts';
import { withWebgpu } from './support/device.ts';

await withWebgpu(() => {
  for (const kind of Object.keys(movable) as (keyof typeof movable)[])
    movesThere(kind, { first: 2, second: 4, engine: 'onnx:webgpu', within: 1e-5 });
});
