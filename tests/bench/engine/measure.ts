/**
 * One contender of the benchmark, in a process of its own:
 *
 *     node --import=tsx --conditions=peco-source tests/bench/engine/measure.ts SHAPE[:BATCH] ENGINE THREADS
 *
 * Compiles and warms up, prints what that took as a line of JSON, and then waits: for each line of its input, a number of
 * seconds, it computes steps for about so long and prints a line of JSON about them. `torch_steps.py` does the same.
 * `peak` instead of a shape: the matrix product peak.
 */

import { createInterface } from 'node:readline';
import { openEngine } from '../../../components/engine/open.ts';
import { isHostTensor, leavesOf, mapTree } from '../../../components/engine/tree.ts';
import type { HostTensor, Program } from '../../../components/engine/types.ts';
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
  const state = engine.state(work.state() as never);
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
