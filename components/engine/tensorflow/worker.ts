/**
 * Entry of the thread that has TensorFlow: a step keeps its thread busy from beginning to end, and the process is to
 * answer signals meanwhile. Elsewhere this file does nothing.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { loadBinding } from './binding.ts';
import { Executor } from './executor.ts';
import type { Asked, Hello, Numbers, Told } from './messages.ts';
import { memoryOf } from './messages.ts';

/** What the thread is started with. */
export interface ThreadData {
  readonly purpose: typeof threadPurpose;
  readonly addon: string;
  /** Takes the answers that the other side waits for. */
  readonly port: MessagePort;
  /** Becomes 1 when such an answer is there, or the thread ends. */
  readonly bell: Int32Array<SharedArrayBuffer>;
}

/** Tells this thread from others that import this file. */
export const threadPurpose = 'peco-exp tensorflow';

function serve(main: MessagePort, { addon, port, bell }: ThreadData): void {
  const hello = load(addon);
  main.postMessage('failure' in hello ? hello : hello.said);
  if ('failure' in hello) return;
  const { executor } = hello;
  const ring = () => {
    Atomics.store(bell, 0, 1);
    Atomics.notify(bell, 0);
  };
  // Otherwise a thread that ends would be waited for without an end.
  process.once('exit', ring);
  main.on('message', ({ number, request, now }: Asked) => {
    const told = tell(executor, number, request);
    const memory = 'answer' in told && Array.isArray(told.answer) ? memoryOf(told.answer as Numbers[]) : [];
    (now ? port : main).postMessage(told, memory);
    if (now) ring();
  });
}

function load(addon: string): { readonly said: Hello; readonly executor: Executor } | { failure: string } {
  try {
    const binding = loadBinding(addon);
    const said = { version: binding.TF_Version, usesGpu: binding.isUsingGpuDevice() };
    return { said, executor: new Executor(binding) };
  } catch (error) {
    return { failure: messageOf(error) };
  }
}

function tell(executor: Executor, number: number, request: Asked['request']): Told {
  try {
    return { number, answer: executor.execute(request) };
  } catch (error) {
    return { number, failure: messageOf(error) };
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const data = workerData as Partial<ThreadData> | null;
if (parentPort && data?.purpose === threadPurpose) serve(parentPort, data as ThreadData);
