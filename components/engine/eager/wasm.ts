import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import type { Engine } from '../types.ts';
import { EngineError } from '../types.ts';
import { EagerEngine } from './engine.ts';
import type { OptionalPackage } from './packages.ts';
import { findPackage, importPackage } from './packages.ts';

const packageName = '@tensorflow/tfjs-backend-wasm';

/** The part of the package that is used here. */
interface WasmPackage {
  readonly BackendWasm: { readonly prototype: object };
  setWasmPaths(folder: string): void;
  getThreadsCount(): number;
}

let ready: Promise<string> | undefined;

/**
 * Runs steps on tfjs's WebAssembly backend. It has no kernels for the gradients of convolutions to the filter and of
 * `gather`; in Node it runs in one thread, since the package turns its threads off there.
 * Throws EngineError if the package is not installed or does not start.
 */
export async function openWasmEngine(): Promise<Engine> {
  ready ??= start();
  try {
    return new EagerEngine({ engineName: 'wasm', backendName: 'wasm', description: await ready });
  } catch (error) {
    ready = undefined;
    throw error;
  }
}

async function start(): Promise<string> {
  const found = findPackage(packageName);
  if (!found) {
    throw new EngineError(
      `the engine 'wasm' needs the package ${packageName}, which is not installed: npm install ${packageName}@${tf.version_core}`,
    );
  }
  const wasm = await load(found);
  wasm.setWasmPaths(`${path.dirname(found.file)}${path.sep}`);
  if (!(await withoutListeners(initialise)))
    throw new EngineError(
      `the engine 'wasm': ${packageName} ${found.version} does not start; install it again: npm install ${packageName}@${tf.version_core}`,
    );
  const threads = wasm.getThreadsCount();
  const simd = (await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')) ? 'SIMD' : 'no SIMD';
  return `tfjs-backend-wasm ${found.version}, ${simd}, ${threads} thread${threads === 1 ? '' : 's'}, no training of convolutions or gather`;
}

async function load(found: OptionalPackage): Promise<WasmPackage> {
  const wasm = await importPackage<WasmPackage>(found);
  const { BackendWasm, setWasmPaths, getThreadsCount } = wasm;
  if (!BackendWasm || !setWasmPaths || !getThreadsCount)
    throw new EngineError(
      `the engine 'wasm': ${packageName} ${found.version} is none that this engine knows`,
    );
  if (!(BackendWasm.prototype instanceof tf.KernelBackend)) {
    throw new EngineError(
      `the engine 'wasm': ${packageName} ${found.version} has a @tensorflow/tfjs-core of its own beside ours (${tf.version_core}); ` +
        `give both one version: npm install ${packageName}@${tf.version_core}, then npm dedupe`,
    );
  }
  return { BackendWasm, setWasmPaths, getThreadsCount };
}

/**
 * Makes the backend and hands it to tfjs when it is ready. tfjs's own way, `await setBackend`, makes it the active one
 * at once: whatever else the process computes until then would find a backend that isn't ready.
 */
async function initialise(): Promise<boolean> {
  // Another copy of this module, in another bundle, has done it.
  if (tf.engine().registry.wasm) return true;
  const create = tf.findBackendFactory('wasm');
  try {
    const backend = await create();
    tf.removeBackend('wasm');
    return tf.registerBackend('wasm', () => backend, 2) && tf.findBackend('wasm') !== null;
  } catch {
    // The package rejects with advice for web servers.
    return false;
  }
}

/** The WebAssembly module listens for errors of the whole process, and throws them again from there. */
async function withoutListeners<T>(work: () => Promise<T>): Promise<T> {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const listeners = () => events.map((event) => process.rawListeners(event as 'uncaughtException'));
  const before = listeners();
  try {
    return await work();
  } finally {
    listeners().forEach((after, index) => {
      for (const listener of after) {
        if (!before[index].includes(listener))
          process.removeListener(events[index], listener as (...args: unknown[]) => void);
      }
    });
  }
}
