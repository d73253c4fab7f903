import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import type { Engine } from '../types.ts';
import { EagerEngine } from './engine.ts';

/** Runs steps on tfjs's plain JavaScript backend: slow, but the truth that others are compared with. */
export function openReferenceEngine(): Engine {
  const backend = tf.findBackend('cpu') as { firstUse?: boolean };
  // Its first use would print advice to install a faster one.
  backend.firstUse = false;
  return new EagerEngine({
    engineName: 'reference',
    backendName: 'cpu',
    description: `tfjs ${tf.version_core} on its CPU backend, 1 thread`,
  });
}
