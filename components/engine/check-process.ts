/**
 * Entry of a process that tries one engine: `node engine-check.js NAME THREADS`, or only opens it: `NAME THREADS open`. It trains the probe with it and with
 * the reference, sends what came out to its parent, and ends. In a process of its own, since a native library that
 * doesn't fit the machine may end it.
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
// What libraries print when they are loaded is all that the caller wants.
if (only === 'open') {
  await openEngine({ name });
  process.exit(0);
}
const answer = await check(name, Number(threads)).catch((error: unknown): Answer => {
  return { works: false, problem: error instanceof Error ? error.message : String(error) };
});
// Exits even if a library left something running, but not before the answer is out.
if (process.send) process.send(answer, undefined, undefined, () => process.exit(0));
else process.stdout.write(`${JSON.stringify(answer)}\n`);
