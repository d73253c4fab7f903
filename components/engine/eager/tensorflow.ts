import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { registerGradients } from '../gradients/register.ts';
import type { Engine } from '../types.ts';
import { EngineError } from '../types.ts';
import { EagerEngine } from './engine.ts';
import type { OptionalPackage } from './packages.ts';
import { findPackage, importPackage } from './packages.ts';

/** The first that is installed and loads is taken. Both register tfjs's backend `tensorflow`. */
const packageNames = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

const backendName = 'tensorflow';

/** The part of the packages that is used here. */
interface TensorflowPackage {
  readonly Tensor: unknown;
  readonly version_core: string;
}

/** What the packages' backend says about itself. */
interface TensorflowBackend {
  readonly isUsingGpuDevice?: boolean;
  readonly binding?: { readonly TF_Version?: string };
}

let ready: Promise<string> | undefined;

/** The installed packages that the engine `tensorflow` could use. */
export function tensorflowPackages(): readonly OptionalPackage[] {
  return packageNames.map(findPackage).filter((found) => found !== undefined);
}

/**
 * Runs steps on TensorFlow's native library by `@tensorflow/tfjs-node-gpu` or `@tensorflow/tfjs-node`, which the user
 * installs. The number of threads is that of the first engine of the process; TensorFlow doesn't change it afterwards.
 * Throws EngineError if none is installed, none loads, or they bring a tfjs-core of their own.
 */
export async function openTensorflowEngine(threads: number): Promise<Engine> {
  ready ??= start(threads);
  try {
    return new EagerEngine({ engineName: 'tensorflow', backendName, description: await ready });
  } catch (error) {
    ready = undefined;
    throw error;
  }
}

async function start(threads: number): Promise<string> {
  const found = tensorflowPackages();
  const failures: string[] = [];
  // TensorFlow reads these when it starts; what the user has set stays.
  process.env.TF_NUM_INTRAOP_THREADS ??= String(threads);
  process.env.TF_NUM_INTEROP_THREADS ??= '1';
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  for (const each of found) {
    try {
      return describe(each, await undisturbed(() => load(each)));
    } catch (error) {
      failures.push(error instanceof EngineError ? error.message : explainLoading(each, error));
    }
  }
  if (failures.length > 0) throw new EngineError(failures.join('; '));
  throw new EngineError(
    `the engine 'tensorflow' needs one of the packages ${packageNames.join(', ')}, and none is installed: npm install ${packageNames[1]}@${tf.version_core}`,
  );
}

async function load(found: OptionalPackage): Promise<TensorflowBackend> {
  const tfjs = await importPackage<TensorflowPackage>(found);
  // tfjs-core shares its engine between copies of itself, but not the classes of tensors and what is compiled in.
  if (tfjs.Tensor !== tf.Tensor) {
    throw new EngineError(
      `${found.name} ${found.version} uses a @tensorflow/tfjs-core of its own (${tfjs.version_core ?? 'of unknown version'}) beside ours (${tf.version_core}): ` +
        `npm install ${found.name}@${tf.version_core}, then npm dedupe; npm ls @tensorflow/tfjs-core shows who brings which`,
    );
  }
  const backend = tf.findBackend(backendName) as TensorflowBackend | null;
  if (!backend)
    throw new EngineError(`${found.name} ${found.version} brings no tfjs backend '${backendName}'`);
  return backend;
}

function describe({ name, version }: OptionalPackage, backend: TensorflowBackend): string {
  const library = backend.binding?.TF_Version;
  const device = backend.isUsingGpuDevice ? 'GPU' : 'CPU';
  const threads = Number(process.env.TF_NUM_INTRAOP_THREADS);
  return [
    `${name.replace('@tensorflow/', '')} ${version}`,
    ...(library ? [`TensorFlow ${library}`] : []),
    device,
    `${threads} thread${threads === 1 ? '' : 's'}`,
  ].join(', ');
}

function explainLoading({ name, version }: OptionalPackage, error: unknown): string {
  const message = (error instanceof Error ? error.message : String(error)).split('\n')[0];
  const remedy = /isNullOrUndefined/.test(message)
    ? 'it does not run on this version of Node; Node 20 and 22 are known to work'
    : `npm rebuild ${name} --build-addon-from-source`;
  return `${name} ${version} does not load: ${message.trim().replace(/\.$/, '')}. Remedy: ${remedy}`;
}

/**
 * These packages make their backend the active one and replace the gradients of kernels by tfjs's own, which lack some
 * of what ours have (see `gradients/register.ts`). Both are put back.
 */
async function undisturbed<T>(work: () => Promise<T>): Promise<T> {
  const before = tf.getBackend();
  try {
    return await work();
  } finally {
    registerGradients();
    if (before) void tf.engine().setBackend(before);
  }
}
