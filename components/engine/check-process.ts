/**
 * Entry of a process that tries one engine: `node engine-check.js NAME THREADS`. It trains the probe with it and with
 * the reference, sends what came out to its parent, and ends. With `open` behind it the engine is only opened, for what a
 * run with it should say. In a process of its own, since a native library that doesn't fit the machine may end it.
 */
import { openEngine } from './open.ts';
import { agrees, type Probe, probeDifference, probeSteps, trainProbe } from './probe.ts';

/** What the parent gets. */
type Answer =
  | {
      readonly works: true;
      /** Of the engine that was opened; for `auto` the one that it chose. */
      readonly name: string;
      readonly description: string;
      /** Largest difference of losses and weights from the reference's. */
      readonly difference: number;
      readonly steps: number;
      /** What else there is to say of it, in lines. */
      readonly notes: readonly string[];
    }
  | { readonly works: false; readonly problem: string };

/** What the parent gets of an engine that was only opened. */
type Opened = { readonly works: true; readonly warnings: readonly string[] } | { readonly works: false };

async function open(name: string, threads: number): Promise<Opened> {
  await openEngine({ name, threads });
  if (!name.startsWith('tensorflow')) return { works: true, warnings: [] };
  const { warnOfTensorflow } = await import('./tensorflow/describe.ts');
  return { works: true, warnings: await warnOfTensorflow() };
}

async function check(name: string, threads: number): Promise<Answer> {
  const engine = await openEngine({ name, threads });
  const reference = await openEngine({ name: 'reference' });
  const [probe, expected] = [await trainProbe(engine), await trainProbe(reference)];
  const difference = probeDifference(probe, expected);
  if (!agrees(probe, expected)) {
    const problem = `${engine.description} computes wrong results: they differ from the reference's by ${difference.toPrecision(1)}. Update its package, or use another engine`;
    return { works: false, problem };
  }
  const notes = await describe(name, threads, expected);
  const { description } = engine;
  return { works: true, name: engine.name, description, difference, steps: probeSteps, notes };
}

/** Devices, and what they can't do. */
async function describe(name: string, threads: number, expected: Probe): Promise<readonly string[]> {
  if (name === 'tensorflow') {
    const { describeTensorflow } = await import('./tensorflow/describe.ts');
    return describeTensorflow(threads, expected);
  }
  if (name !== 'onnx:webgpu') return [];
  const { describeWebgpu } = await import('./onnx/webgpu/describe.ts');
  return describeWebgpu(threads, [
    process.execPath,
    ...process.execArgv,
    process.argv[1]!,
    name,
    '1',
    'open',
  ]);
}

const [name = 'onnx', threads = '1', only] = process.argv.slice(2);
const tried = only === 'open' ? open(name, Number(threads)) : check(name, Number(threads));
const answer = await tried.catch((error: unknown): Answer => {
  return { works: false, problem: error instanceof Error ? error.message : String(error) };
});
// Exits even if a library left something running, but not before the answer is out.
if (process.send) process.send(answer, undefined, undefined, () => process.exit(0));
// What libraries print when they are loaded is all that this caller wants.
else if (only === 'open') process.exit(answer.works ? 0 : 1);
else process.stdout.write(`${JSON.stringify(answer)}\n`);
