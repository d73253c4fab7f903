/**
 * One contender of the benchmark, in a process of its own:
 *
 *     node --import=tsx --conditions=peco-source tests/bench/engine/measure.ts SHAPE[:BATCH] ENGINE THREADS
 *
 * Compiles and warms up, prints what that took as a line of JSON, and then waits: for each line of its input, a number of
 * seconds, it computes steps for about so long and prints a line of JSON about them. `torch_steps.py` does the same.
 * `peak` instead of a shape: the matrix product peak.
 */

import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { openEngine } from '../../../components/engine/open.ts';
import { isHostTensor, isSpec, leavesOf, mapTree, type TreeOf } from '../../../components/engine/tree.ts';
import type { HostTensor, Program, TensorSpec } from '../../../components/engine/types.ts';
import type { Started, Steps } from './contender.ts';
import { matmulPeak } from './peak.ts';
import { shapeOf, type Workload } from './shapes.ts';

const [shape = '', name = 'onnx', threads = '1'] = process.argv.slice(2);
const warnings: string[] = [];
process.on('warning', ({ message }) => void warnings.push(message));

const print = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);

async function start(work: Workload) {
  const opened = performance.now();
  const engine = await openEngine({ name, threads: Number(threads) });
  const state = engine.state(initialState(work) as never);
  const batch = mapTree(work.batch as never, isHostTensor, ({ shape, dtype }) => ({ shape, dtype }));
  const compiled = performance.now();
  const program: Program<never, never> = await engine.compile({
    name: shape,
    step: work.step as never,
    state,
    batch: batch as never,
    constants: work.constants as never,
  });
  const run = async () => {
    const out = await program.run(work.batch as never);
    return Number((leavesOf(out, isHostTensor).get('loss') as HostTensor).data[0]);
  };
  await run();
  const compileMs = performance.now() - compiled;
  // Only now are buffers as large as they get; the first steps of small ones are slower still.
  const before = performance.now();
  await run();
  if (performance.now() - before < 1000) await run();
  const started: Started = {
    startMs: performance.now() - opened,
    compileMs,
    description: engine.description,
    ...(work.flops === undefined ? {} : { flops: work.flops }),
    warnings,
  };
  print(started);
  return run;
}

/**
 * The state that all processes of a shape begin with. Drawing ViT-B's weights takes longer than its steps, so the first
 * one keeps what isn't zero in the folder of PECO_BENCH_STATES.
 */
function initialState(work: Workload): unknown {
  const folder = process.env.PECO_BENCH_STATES;
  if (!folder) return work.state();
  const [list, numbers] = ['json', 'bin'].map((ending) => path.join(folder, `${shape}.${ending}`)) as [
    string,
    string,
  ];
  if (fs.existsSync(list)) {
    const { buffer } = fs.readFileSync(numbers);
    const tree = JSON.parse(fs.readFileSync(list, 'utf8')) as TreeOf<TensorSpec & { readonly start: number }>;
    return mapTree(
      tree,
      isSpec as (node: unknown) => node is TensorSpec & { readonly start: number },
      (leaf) => {
        const { dtype = 'float32', shape: size, start } = leaf;
        const count = size.reduce((a, b) => a * b, 1);
        const Numbers = dtype === 'float32' ? Float32Array : Int32Array;
        return {
          dtype,
          shape: size,
          data: start < 0 ? new Numbers(count) : new Numbers(buffer, start, count),
        };
      },
    );
  }
  const state = work.state() as TreeOf<HostTensor>;
  const file = fs.openSync(numbers, 'w');
  let end = 0;
  const tree = mapTree(state, isHostTensor, ({ dtype, shape: size, data }) => {
    if (data.every((value) => value === 0)) return { dtype, shape: size, start: -1 };
    fs.writeSync(file, data);
    end += data.byteLength;
    return { dtype, shape: size, start: end - data.byteLength };
  });
  fs.closeSync(file);
  fs.writeFileSync(list, JSON.stringify(tree));
  return state;
}

/** Steps for about so many seconds, two at least. */
async function measure(run: () => Promise<number>, seconds: number): Promise<Steps> {
  const stepMs: number[] = [];
  const used = process.cpuUsage();
  let loss = 0;
  for (let spent = 0; stepMs.length < 2 || spent < seconds * 1000; spent += stepMs.at(-1)!) {
    const before = performance.now();
    loss = await run();
    stepMs.push(performance.now() - before);
  }
  const { user, system } = process.cpuUsage(used);
  return {
    stepMs,
    cpuMs: (user + system) / 1000 / stepMs.length,
    residentMiB: process.memoryUsage.rss() / 2 ** 20,
    peakMiB: process.resourceUsage().maxRSS / 1024,
    loss,
  };
}

if (shape === 'peak') print({ gflops: await matmulPeak(Number(threads)) });
else {
  const run = await start(await shapeOf(shape)!.make());
  for await (const line of createInterface({ input: process.stdin })) print(await measure(run, Number(line)));
}
process.exit();
