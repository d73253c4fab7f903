import test from 'ava';
import { openEngine } from '../../../components/engine/open.ts';
import { EngineError } from '../../../components/engine/types.ts';

/** Registers the tests where WebGPU finds a device; says that they are skipped, and why, otherwise. */
export async function withWebgpu(register: () => void | Promise<void>): Promise<void> {
  try {
    const engine = await openEngine({ name: 'onnx:webgpu' });
    test(engine.description, (t) => t.regex(engine.description, /^onnx:webgpu \(onnxruntime-node \d/));
    engine.dispose();
  } catch (error) {
    if (!(error instanceof EngineError) || !/no device for WebGPU/.test(error.message)) throw error;
    test(`skipped: ${error.message}`, (t) => t.pass());
    return;
  }
  await register();
}
