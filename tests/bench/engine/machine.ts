import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { locateTensorflow } from '../../../components/engine/tensorflow/place.ts';
import { Running } from './contender.ts';
import { checkCommand, type Python } from './contenders.ts';

export interface Machine {
  readonly lines: readonly string[];
  readonly hasGpu: boolean;
  /** Why TensorFlow can't be measured: there is none, or it has no GPU although one is wanted. */
  readonly withoutTensorflow?: string;
}

type Check =
  | { readonly works: true; readonly description: string; readonly notes: readonly string[] }
  | { readonly works: false; readonly problem: string };

/** Machine, driver and versions, in lines. With `gpu` TensorFlow is tried first, and says which device it has. */
export async function describeMachine(
  pythons: readonly Python[],
  threads: number,
  gpu: boolean,
): Promise<Machine> {
  const { version } = JSON.parse(
    fs.readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
  ) as { readonly version: string };
  const commit = output('git', ['describe', '--always', '--dirty', '--exclude=*'])[0];
  const gib = Math.round(os.totalmem() / 2 ** 30);
  const cards = output('nvidia-smi', [
    '--query-gpu=name,memory.total,driver_version,power.limit',
    '--format=csv,noheader',
  ]);
  const tensorflow = await tryTensorflow(threads, gpu);
  return {
    lines: [
      `peco-exp ${version}${commit ? ` (${commit})` : ''}, Node ${process.versions.node}, ${os.type()} ${os.release()}`,
      `${os.cpus()[0]?.model ?? 'unknown CPU'}, ${threads} threads, ${gib} GiB; ${new Date().toISOString().slice(0, 16)}Z`,
      ...(gpu ? [`GPU: ${cards.join('; ') || 'nvidia-smi finds none'}`] : []),
      ...tensorflow.lines,
      ...pythons.map(describePython),
      ...(gpu && cards.length === 0 ? ['no device: nothing was measured'] : []),
    ],
    hasGpu: gpu && cards.length > 0,
    ...(tensorflow.missing === undefined ? {} : { withoutTensorflow: tensorflow.missing }),
  };
}

interface Tried {
  readonly lines: readonly string[];
  readonly missing?: string;
}

async function tryTensorflow(threads: number, gpu: boolean): Promise<Tried> {
  const place = locateTensorflow();
  if ('missing' in place) {
    const missing = `${place.missing}: ${place.remedy}${gpu ? ' --gpu' : ''}`;
    return { lines: [`TensorFlow: ${missing}`], missing };
  }
  const check = await new Running(checkCommand(threads)).answer<Check>().catch((error: Error): Check => {
    return { works: false, problem: error.message };
  });
  if (!check.works) return { lines: [`TensorFlow: ${check.problem}`], missing: check.problem };
  const lines = [check.description, ...check.notes.map((line) => `  ${line}`)];
  const onCpu = gpu && !check.description.includes('GPU');
  return { lines, ...(onCpu ? { missing: 'it computes on the CPU, for the reason above' } : {}) };
}

function describePython({ command, torch }: Python): string {
  if (!torch) return `PyTorch: ${command} has none: ${command} -m pip install torch, or --torch PYTHON`;
  const cuda = torch.cuda === null ? 'built for CPUs' : `built for CUDA ${torch.cuda}`;
  return `PyTorch ${torch.version}, ${cuda}${torch.device === null ? '' : `, ${torch.device}`}`;
}

/** What all processes together have taken of the first GPU. */
export function gpuMemoryMiB(): number {
  const [first = '0'] = output('nvidia-smi', ['--query-gpu=memory.used', '--format=csv,noheader,nounits']);
  return Number(first);
}

/** Lines; none where there is no such program, or it fails. */
function output(program: string, given: readonly string[]): readonly string[] {
  try {
    const text = execFileSync(program, given, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return text.split('\n').filter((line) => line !== '');
  } catch {
    return [];
  }
}
