import { leavesNothing } from '../components/engine/support/leaks.ts';
import { refusesLateMisuse, refusesMisuse } from '../components/engine/support/misuse.ts';
import { keepsState } from '../components/engine/support/state.ts';
import { withWebgpu } from './support/device.ts';

await withWebgpu(() => {
  refusesMisuse('onnx:webgpu');
  refusesLateMisuse('onnx:webgpu');
  keepsState('onnx:webgpu');
  leavesNothing('onnx:webgpu');
});
