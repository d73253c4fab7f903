import { openTensorflowEngine, tensorflowPackages } from '../eager/tensorflow.ts';
import type { Engine } from '../types.ts';
import { locateTensorflow } from './place.ts';

/** Whether there is anything that the engine `tensorflow` could be tried with. Nothing is loaded. */
export function mayHaveTensorflow(): boolean {
  return 'addon' in locateTensorflow() || tensorflowPackages().length > 0;
}

/**
 * The compiled engine; or the eager one where a package of npm is installed whose addon can't be found.
 * Throws EngineError where there is none, with the remedy.
 */
export async function openTensorflow(threads: number): Promise<Engine> {
  if ('missing' in locateTensorflow() && tensorflowPackages().length > 0)
    return openTensorflowEngine(threads);
  const { openCompiledTensorflow } = await import('./engine.ts');
  return openCompiledTensorflow(threads);
}
