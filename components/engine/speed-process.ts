/**
 * Entry of a process that measures one engine: `node engine-speed.js NAME THREADS`. It sends what came out to its parent,
 * and ends. In a process of its own, as that which tries an engine.
 */
import { openEngine } from './open.ts';
import { type EngineSpeed, measureSpeed } from './speed.ts';

/** What the parent gets. */
type Answer =
  | { readonly works: true; readonly name: string; readonly speed: EngineSpeed }
  | { readonly works: false; readonly problem: string };

/** Others may compute on a GPU. */
const onProcessor: ReadonlySet<string> = new Set(['onnx', 'reference', 'wasm']);

async function measure(name: string, threads: number): Promise<Answer> {
  const engine = await openEngine({ name, threads });
  return {
    works: true,
    name: engine.name,
    speed: await measureSpeed(engine, onProcessor.has(engine.name) ? threads : undefined),
  };
}

const [name = 'onnx', threads = '1'] = process.argv.slice(2);
const answer = await measure(name, Number(threads)).catch((error: unknown): Answer => {
  return { works: false, problem: error instanceof Error ? error.message : String(error) };
});
if (process.send) process.send(answer, undefined, undefined, () => process.exit(0));
else process.stdout.write(`${JSON.stringify(answer)}\n`);
