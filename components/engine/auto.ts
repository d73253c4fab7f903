import { openReferenceEngine } from './eager/reference.ts';
import { openTensorflowEngine, tensorflowPackages } from './eager/tensorflow.ts';
import { openOnnxEngine } from './onnx/engine.ts';
import { agrees, trainProbe } from './probe.ts';
import type { Engine } from './types.ts';

/** `tensorflow` where one of its packages is installed and trains as the reference does, otherwise `onnx`. */
export async function openAutoEngine(threads: number): Promise<Engine> {
  return (await openWorkingTensorflow(threads)) ?? openOnnxEngine(threads);
}

async function openWorkingTensorflow(threads: number): Promise<Engine | undefined> {
  // Nothing of it is loaded where it isn't installed.
  if (tensorflowPackages().length === 0) return undefined;
  try {
    const engine = await openTensorflowEngine(threads);
    const works = agrees(await trainProbe(engine), await trainProbe(openReferenceEngine()));
    return works ? engine : undefined;
  } catch {
    // `openEngine({ name: 'tensorflow' })` says why not.
    return undefined;
  }
}
