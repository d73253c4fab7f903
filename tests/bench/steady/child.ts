/**
 * A process of `bench.ts`, which prints one line of JSON:
 *
 *     child.ts memory ENGINE TRAINING STEPS     resident memory, MiB, after 100 steps and after all
 *     child.ts bytes ENGINE SHAPE THREADS       digests of everything that two trainings of three steps gave
 *
 * With `--expose-gc`.
 */
import { createHash } from 'node:crypto';
import { openEngine } from '../../../components/engine/open.ts';
import { findTensorflow } from '../../../components/engine/tensorflow/library.ts';
import { isHostTensor, leavesOf, mapTree } from '../../../components/engine/tree.ts';
import type { Engine, Program } from '../../../components/engine/types.ts';
import { mim } from '../../components/engine/steps/support/mim.ts';
import { vqvaeTraining } from '../../components/engine/steps/support/tokenizers.ts';
import { shapeOf } from '../engine/shapes.ts';

/** What `memory` prints. */
export interface Memory {
  readonly early: number;
  readonly late: number;
  /** Tensors that the addon of TensorFlow holds more than after 100 steps. */
  readonly tensors?: number;
  readonly warnings: readonly string[];
}

/** What `bytes` prints. */
export interface Bytes {
  readonly digests: readonly string[];
  readonly warnings: readonly string[];
}

interface Work {
  readonly name: string;
  readonly step: unknown;
  readonly state: unknown;
  readonly constants?: unknown;
  batch(step: number): unknown;
}

const early = 100;
const warnings: string[] = [];
process.on('warning', ({ message }) => void warnings.push(message));

function compile(engine: Engine, { name, step, constants, batch }: Work, state: unknown) {
  const specs = mapTree(batch(0) as never, isHostTensor, ({ shape, dtype }) => ({ shape, dtype }));
  const options = { name, step, state, batch: specs, constants };
  return engine.compile(options as never) as Promise<Program<unknown, unknown>>;
}

const trainings: { readonly [name: string]: () => Promise<Work> } = {
  mim: async () => mim('small').training as unknown as Work,
  vqvae: async () => (await vqvaeTraining('small')).training as unknown as Work,
};

async function measureMemory(name: string, training: string, steps: number): Promise<Memory> {
  const work = await trainings[training]!();
  const engine = await openEngine({ name });
  const program = await compile(engine, work, engine.state(work.state as never));
  const batches = Array.from({ length: 5 }, (_, index) => work.batch(index));
  const resident = () => {
    globalThis.gc?.();
    return process.memoryUsage.rss() / 2 ** 20;
  };
  const found = name.startsWith('tensorflow') ? await findTensorflow() : undefined;
  const thread = found !== undefined && 'thread' in found ? found.thread : undefined;
  const count = () => thread?.ask<'count'>({ kind: 'count' });
  const run = async (from: number, to: number) => {
    for (let step = from; step < to; step++) await program.run(batches[step % batches.length] as never);
  };
  await run(0, early);
  const [before, tensors] = [resident(), await count()];
  await run(early, steps);
  const after = await count();
  return {
    early: before,
    late: resident(),
    ...(tensors === undefined ? {} : { tensors: after! - tensors }),
    warnings,
  };
}

/** Everything that three steps gave, weights and moments included. */
async function digestOf(name: string, threads: number, work: Work): Promise<string> {
  const engine = await openEngine({ name, threads });
  const state = engine.state(work.state as never);
  const program = await compile(engine, work, state);
  const digest = createHash('sha256');
  const add = (tree: unknown) => {
    for (const { data } of leavesOf(tree as never, isHostTensor).values())
      digest.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  };
  for (let step = 0; step < 3; step++) add(await program.run(work.batch(step) as never));
  add(state.read());
  engine.dispose();
  return digest.digest('hex');
}

async function compareBytes(name: string, shape: string, threads: number): Promise<Bytes> {
  const { state, batch, ...rest } = await shapeOf(shape)!.make();
  const work: Work = { name: shape, ...rest, state: state(), batch: () => batch };
  return { digests: [await digestOf(name, threads, work), await digestOf(name, threads, work)], warnings };
}

const [what, name = '', subject = '', number = '1'] = process.argv.slice(2);
const found =
  what === 'memory'
    ? await measureMemory(name, subject, Number(number))
    : await compareBytes(name, subject, Number(number));
process.stdout.write(`${JSON.stringify(found)}\n`);
process.exit();
