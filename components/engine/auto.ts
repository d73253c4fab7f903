import { openReferenceEngine } from './eager/reference.ts';
import { openOnnxEngine } from './onnx/engine.ts';
import { agrees, trainProbe } from './probe.ts';
import { mayHaveTensorflow, openTensorflow } from './tensorflow/open.ts';
import type { Engine } from './types.ts';

/** `tensorflow` where its library is and trains as the reference does, otherwise `onnx`. */
export async function openAutoEngine(threads: number): Promise<Engine> {
  return (await openWorkingTensorflow(threads)) ?? openOnnxEngine(threads);
}

async function openWorkingTensorflow(threads: number): Promise<Engine | undefined> {
  // Nothing of it is loaded where it isn't.
  if (!mayHaveTensorflow()) return undefined;
  try {
    const engine = await openTensorflow(threads);
    const works = agrees(await trainProbe(engine), await trainProbe(openReferenceEngine()));
    return works ? engine : undefined;
  } catch {
    // `openEngine({ name: 'tensorflow' })` says why not.
    return undefined;
  }
}
