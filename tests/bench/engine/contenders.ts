import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Contender } from './contender.ts';

/** A Python with PyTorch, or without it. */
export interface Python {
  readonly command: string;
  readonly torch?: {
    readonly version: string;
    /** The version of CUDA that it was built for, and the GPU that it finds. */
    readonly cuda: string | null;
    readonly device: string | null;
  };
}

export interface Choice {
  readonly pythons: readonly Python[];
  readonly threads: number;
  readonly device: 'cpu' | 'cuda';
  /** Why TensorFlow isn't measured, if it isn't. */
  readonly withoutTensorflow?: string;
  readonly wasm: boolean;
}

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const node = [process.execPath, '--import=tsx', '--conditions=peco-source'];

export const measureCommand = (...given: readonly string[]) => [...node, path('measure.ts'), ...given];
export const torchCommand = (python: Python, ...given: readonly string[]) => [
  ...python.command.split(' '),
  path('torch_steps.py'),
  ...given,
];
/** Trains a small step with TensorFlow beside `reference`, and says what device it found. */
export const checkCommand = (threads: number) => [
  ...node,
  path('../../../components/engine/check-process.ts'),
  'tensorflow',
  String(threads),
];

export const tensorflowNames = ['tensorflow', 'tensorflow:xla', 'tensorflow:bf16', 'tensorflow:xla+bf16'];

/** All that can be measured, and what can't be with the reason. */
export function contendersOf(shape: string, choice: Choice): Contender[] {
  const { pythons, threads, device, wasm, withoutTensorflow } = choice;
  const own = device === 'cuda' ? tensorflowNames : ['onnx', ...tensorflowNames];
  const list: Contender[] = own.map((name) =>
    name.startsWith('tensorflow') && withoutTensorflow !== undefined
      ? { name, missing: withoutTensorflow }
      : { name, command: measureCommand(shape, name, String(threads)), slow: name.includes('xla') },
  );
  // tfjs's WebAssembly backend has no gradients of convolutions and gather.
  if (wasm && shape.startsWith('finetune-small'))
    list.push({ name: 'wasm, 1 thread', command: measureCommand(shape, 'wasm', '1') });
  return [...list, ...pythons.flatMap((python) => torchContenders(shape, python, choice))];
}

function torchContenders(shape: string, python: Python, { threads, device }: Choice): Contender[] {
  const { torch, command } = python;
  if (!torch) return [{ name: 'PyTorch', missing: `${command} has none: ${command} -m pip install torch` }];
  if (device === 'cuda' && torch.device === null)
    return [{ name: `PyTorch ${torch.version}`, missing: 'it finds no GPU' }];
  const layouts = shape.startsWith('vqvae') ? ['', '-nhwc'] : [''];
  const eager = layouts.map((layout) => `eager${layout}`);
  const ways = Number.parseInt(torch.version, 10) < 2 ? eager : [...eager, 'compile'];
  const modes = ['', '-bf16'].flatMap((precision) => ways.map((way) => way + precision));
  return modes.map((mode) => ({
    name: `PyTorch ${torch.version} ${mode.replaceAll('-', ' ')}`,
    command: torchCommand(python, shape, mode, String(threads), device),
    slow: mode.startsWith('compile'),
  }));
}

const inquiry =
  'import json, torch; print(json.dumps(dict(version=torch.__version__, cuda=torch.version.cuda, device=torch.cuda.get_device_name() if torch.cuda.is_available() else None)))';

/** Asks a Python what PyTorch it has. */
export function inspectPython(command: string): Python {
  const [program = '', ...rest] = command.split(' ');
  const { stdout, status } = spawnSync(program, [...rest, '-c', inquiry], { encoding: 'utf8' });
  return status === 0 ? { command, torch: JSON.parse(stdout) as Required<Python>['torch'] } : { command };
}
