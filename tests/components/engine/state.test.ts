import { keepsState } from './support/state.ts';

for (const name of ['onnx', 'reference', 'wasm']) keepsState(name);
