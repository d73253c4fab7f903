/**
 * Records training steps as ONNX graphs without their weights, for interpret.py to run on a GPU:
 *
 *     node --import=tsx --conditions=peco-source tests/bench/gpu/record.ts FOLDER SHAPE:BATCH... [--losses]
 *
 * Shapes: steps.ts. For each, FOLDER gets two files of less than a megabyte:
 *
 * - SHAPE-BATCH.onnx.gz: the graph. Weights, moments and frozen weights are inputs of it; its metadata `peco-exp.draw` say
 *   of which mean and deviation to draw them.
 * - SHAPE-BATCH.safetensors.gz: the batch without its pictures, which are drawn, too.
 *
 * With --losses, for small shapes, the second file holds all inputs, and in its metadata the losses of three steps by
 * the engine `onnx`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { withoutFusedProducts } from '../../../components/engine/onnx/portable.ts';
import { encodeModel } from '../../../components/engine/onnx/proto.ts';
import { openEngine } from '../../../components/engine/open.ts';
import {
  changedState,
  type Endpoint,
  endpoints,
  neededNodes,
} from '../../../components/engine/record/needed.ts';
import { traceStep } from '../../../components/engine/record/trace.ts';
import { isHostTensor, leavesOf, mapTree, type TreeOf } from '../../../components/engine/tree.ts';
import type { HostTensor } from '../../../components/engine/types.ts';
import { formatSafetensors, toRaw } from '../../../components/weights/safetensors.ts';
import { isPicture, steps } from './steps.ts';

type Values = ReadonlyMap<string, HostTensor>;

/** Constants of fewer numbers stay in the graph. */
const largestConstant = 4096;
const stepsCompared = 3;

const { positionals, values: flags } = parseArgs({
  allowPositionals: true,
  options: { losses: { type: 'boolean', default: false } },
});
const [folder, ...shapes] = positionals;
mkdirSync(folder!, { recursive: true });
for (const shape of shapes) await record(shape);

async function record(name: string): Promise<void> {
  const [shape, batchSize] = name.split(':') as [string, string];
  const work = await steps[shape]!(Number(batchSize));
  const state = work.state() as TreeOf<HostTensor>;
  const batch = mapTree(work.batch as TreeOf<HostTensor>, isHostTensor, asBytes);
  const constants = (work.constants ?? {}) as TreeOf<HostTensor>;
  const trace = traceStep({ name: shape, step: work.step as never, state, batch, constants });
  const outputs = [...endpoints('next', changedState(trace)), ...endpoints('out', trace.outputs)];
  const nodes = withoutFusedProducts(neededNodes(shape, trace, outputs));
  const values = new Map([...prefixed('state', state), ...prefixed('batch', batch)]);
  const inputs = [...endpoints('state', trace.stateInputs), ...endpoints('batch', trace.batchInputs)];
  const used = new Set(nodes.flatMap((node) => node.inputs));
  for (const value of used) {
    if (value?.source.kind !== 'constant' || value.type !== 'float32') continue;
    const { data } = value.source;
    if (data.length <= largestConstant) continue;
    const input = `constant/${value.id}`;
    inputs.push({ name: input, value });
    values.set(input, { dtype: 'float32', shape: value.shape, data: data as Float32Array });
  }
  const metadata = {
    'peco-exp.draw': JSON.stringify(distributions(inputs, values)),
    'peco-exp.flops': String(work.flops ?? ''),
  };
  const file = path.join(folder!, `${shape}-${batchSize}`);
  const bytes = encodeModel({ name: shape, nodes, inputs, outputs, metadata });
  writeFileSync(`${file}.onnx.gz`, gzipSync(bytes));
  const losses = flags.losses ? await lossesOf({ ...work, batch }, shape) : undefined;
  writeFileSync(`${file}.safetensors.gz`, gzipSync(inputFile(values, losses)));
  process.stdout.write(`${file}: ${nodes.length} nodes, ${inputs.length} inputs\n`);
}

/** Pictures as stages give them. */
function asBytes(leaf: HostTensor): HostTensor {
  if (!isPicture(leaf)) return leaf;
  return { ...leaf, dtype: 'uint8', data: Uint8Array.from(leaf.data, (value) => Math.round(value * 255)) };
}

function prefixed(prefix: string, tree: TreeOf<HostTensor>): [string, HostTensor][] {
  return [...leavesOf(tree, isHostTensor)].map(([leaf, value]) => [`${prefix}/${leaf}`, value]);
}

function distributions(inputs: readonly Endpoint[], values: Values) {
  return Object.fromEntries(
    inputs.map(({ name }) => {
      const data: ArrayLike<number> = values.get(name)!.data;
      let sum = 0;
      for (let i = 0; i < data.length; i++) sum += data[i]!;
      const mean = sum / data.length;
      let squares = 0;
      for (let i = 0; i < data.length; i++) squares += (data[i]! - mean) ** 2;
      return [name, [mean, Math.sqrt(squares / data.length)]];
    }),
  );
}

function inputFile(values: Values, losses: readonly number[] | undefined): Uint8Array {
  const kept = [...values].filter(
    ([name, value]) => losses || (name.startsWith('batch/') && !isPicture(value)),
  );
  const tensors = kept.map(([name, value]) => {
    const raw = toRaw(value);
    return [name, value.dtype === 'uint8' ? ({ ...raw, type: 'U8' } as const) : raw] as const;
  });
  const metadata = losses ? { losses: JSON.stringify(losses) } : {};
  return formatSafetensors({ tensors: Object.fromEntries(tensors), metadata });
}

/** Of the same batch each time. */
async function lossesOf(work: { readonly [field: string]: unknown }, name: string): Promise<number[]> {
  const engine = await openEngine({ name: 'onnx', threads: 1 });
  const state = engine.state((work.state as () => never)());
  const program = await engine.compile({
    name,
    step: work.step as never,
    state,
    batch: work.batch as never,
    constants: work.constants as never,
  });
  const losses: number[] = [];
  for (let step = 0; step < stepsCompared; step++) {
    const out = leavesOf((await program.run(work.batch as never)) as TreeOf<HostTensor>, isHostTensor);
    losses.push(Number(out.get('loss')!.data[0]));
  }
  engine.dispose();
  return losses;
}
