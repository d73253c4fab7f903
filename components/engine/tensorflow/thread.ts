import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { EngineError } from '../types.ts';
import type { Answers, Asked, Hello, Request, RequestOf, Told } from './messages.ts';
import { memoryOf } from './messages.ts';
import { type ThreadData, threadPurpose } from './worker.ts';

/**
 * Stages are bundled, but threads begin with a file of their own: the one that `bin/build.mjs` made of the worker. Where
 * something reads TypeScript, as in the tests, that is the source itself.
 */
const readsTypeScript = process.execArgv.some((argument) => argument.includes('tsx'));
const workerFile = readsTypeScript
  ? startOfSource(new URL('./worker.ts', import.meta.url))
  : new URL('../../../dist/tensorflow-worker.js', import.meta.url);

/** A module that imports a source file. tsx registers itself in the main thread only. */
function startOfSource({ href }: URL): URL {
  const [file, tsx] = [href, import.meta.resolve('tsx/esm/api')].map((url) => JSON.stringify(url));
  const text = `await import(${file}).catch(async (error) => {
    if (error.code !== 'ERR_UNKNOWN_FILE_EXTENSION') throw error;
    (await import(${tsx})).register();
    await import(${file} + '?tsx');
  });`;
  return new URL(`data:text/javascript,${encodeURIComponent(text)}`);
}

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
}

/** TensorFlow in a thread of its own, which does one request after the other. */
export class TensorflowThread {
  readonly version: string;
  readonly usesGpu: boolean;
  private readonly worker: Worker;
  private readonly port: MessagePort;
  private readonly bell: Int32Array<SharedArrayBuffer>;
  private readonly waiting = new Map<number, Waiting>();
  private asked = 0;
  private ended: Error | undefined;

  private constructor(worker: Worker, port: MessagePort, bell: Int32Array<SharedArrayBuffer>, hello: Loaded) {
    this.worker = worker;
    this.port = port;
    this.bell = bell;
    this.version = hello.version;
    this.usesGpu = hello.usesGpu;
    worker.on('message', (told: Told) => this.settle(told));
    worker.on('error', (error) => this.end(error));
    worker.on('exit', (code) => this.end(new Error(`it exited with code ${code}`)));
    worker.unref();
  }

  /** Loads the addon in a new thread. Rejects with what the system says where it can't be loaded. */
  static async start(addon: string): Promise<TensorflowThread> {
    const { port1, port2 } = new MessageChannel();
    const bell = new Int32Array(new SharedArrayBuffer(4));
    const workerData: ThreadData = { purpose: threadPurpose, addon, port: port2, bell };
    const worker = new Worker(workerFile, { workerData, transferList: [port2], name: 'tensorflow' });
    port1.unref();
    const hello = await new Promise<Hello>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', (code) => reject(new Error(`its thread exited with code ${code}`)));
    });
    if (!('failure' in hello)) return new TensorflowThread(worker, port1, bell, hello);
    await worker.terminate();
    throw new Error(hello.failure);
  }

  /** The process stays until the answer is there. Rejects with what TensorFlow says. */
  ask<Kind extends Request['kind']>(request: RequestOf<Kind>): Promise<Answers[Kind]> {
    return new Promise<Answers[Kind]>((resolve, reject) => {
      if (this.ended) throw this.ended;
      if (this.waiting.size === 0) this.worker.ref();
      this.waiting.set(this.send(request, false), { resolve, reject });
    });
  }

  /** Blocks until the answer is there, after those to earlier requests. Throws what TensorFlow says. */
  askNow<Kind extends Request['kind']>(request: RequestOf<Kind>): Answers[Kind] {
    if (this.ended) throw this.ended;
    Atomics.store(this.bell, 0, 0);
    this.send(request, true);
    Atomics.wait(this.bell, 0, 0);
    const told = receiveMessageOnPort(this.port) as { readonly message: Told } | undefined;
    if (told === undefined) throw this.end(new Error('it exited'));
    if ('failure' in told.message) throw new Error(told.message.failure);
    return told.message.answer as Answers[Kind];
  }

  private send(request: Request, now: boolean): number {
    const number = this.asked++;
    const memory = request.kind === 'run' ? memoryOf(request.feeds.map(({ data }) => data)) : [];
    if (request.kind === 'open') memory.push(...memoryOf([request.model]));
    this.worker.postMessage({ number, request, now } satisfies Asked, memory);
    return number;
  }

  private settle(told: Told): void {
    const { resolve, reject } = this.waiting.get(told.number)!;
    this.waiting.delete(told.number);
    if (this.waiting.size === 0) this.worker.unref();
    if ('failure' in told) reject(new Error(told.failure));
    else resolve(told.answer as never);
  }

  private end({ message }: Error): Error {
    this.ended ??= new EngineError(
      `the thread that has TensorFlow has ended (${message}); start the process again`,
    );
    for (const { reject } of this.waiting.values()) reject(this.ended);
    this.waiting.clear();
    return this.ended;
  }
}

type Loaded = Exclude<Hello, { readonly failure: string }>;
