/**
 * Measures one shape on one engine in a process of its own:
 *
 *     node --import=tsx tests/bench/engine/measure.ts SHAPE ENGINE THREADS STEPS
 *
 * Prints JSON: milliseconds of each step after two that warm up, of compiling, peak memory in MiB, loss of the last step.
 */

import { openEngine } from '../../../components/engine/open.ts';
import { isHostTensor, leavesOf, mapTree } from '../../../components/engine/tree.ts';
import type { HostTensor } from '../../../components/engine/types.ts';
import { matmulPeak } from './peak.ts';
import { shapes, type Workload } from './shapes.ts';

const warmups = 2;
const [shape, name, threads, steps] = process.argv.slice(2);

async function measure(work: Workload): Promise<object> {
  const engine = await openEngine({ name, threads: Number(threads) });
  const state = engine.state(work.state() as never);
  const batch = mapTree(work.batch as never, isHostTensor, ({ shape, dtype }) => ({ shape, dtype }));
  const started = performance.now();
  const program = await engine.compile({
    name: shape!,
    step: work.step as never,
    state,
    batch: batch as never,
    constants: work.constants as never,
  });
  const compileMs = performance.now() - started;
  const stepMs: number[] = [];
  let loss = 0;
  for (let step = 0; step < Number(steps) + warmups; step++) {
    const before = performance.now();
    const out = await program.run(work.batch as never);
    if (step >= warmups) stepMs.push(performance.now() - before);
    loss = Number((leavesOf(out as never, isHostTensor).get('loss') as HostTensor).data[0]);
  }
  const description = engine.description;
  const peakMiB = process.resourceUsage().maxRSS / 1024;
  return { stepMs, compileMs, peakMiB, loss, flops: work.flops, description };
}

const result =
  shape === 'peak'
    ? { gflops: await matmulPeak(Number(threads)) }
    : await measure(await shapes[shape!]!.make());
process.stdout.write(`${JSON.stringify(result)}\n`);
