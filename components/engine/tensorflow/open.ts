import type { Engine } from '../types.ts';
import type { TensorflowSettings } from './engine.ts';
import { locateTensorflow } from './place.ts';

/** Whether there is anything that the engine `tensorflow` could be tried with. Nothing is loaded. */
export function mayHaveTensorflow(): boolean {
  return 'addon' in locateTensorflow();
}

/** Throws EngineError where there is no library, with the remedy. */
export async function openTensorflow(threads: number, settings: TensorflowSettings = {}): Promise<Engine> {
  const { openCompiledTensorflow } = await import('./engine.ts');
  return openCompiledTensorflow(threads, settings);
}
