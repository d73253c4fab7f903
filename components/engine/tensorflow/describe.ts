import { type ExecFileSyncOptionsWithStringEncoding, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { type Probe, probeDifference, trainProbe } from '../probe.ts';
import { openCompiledTensorflow } from './engine.ts';
import { findTensorflow } from './library.ts';
import type { LocatedTensorflow } from './place.ts';
import { explainDriver, readDriver } from './provision/driver.ts';

/** What decides how fast a library computes on a machine. */
export interface TensorflowFacts {
  readonly library: LocatedTensorflow;
  /** TensorFlow has found a GPU. */
  readonly usesGpu: boolean;
  /** Version of NVIDIA's driver, if there is one. */
  readonly driver?: string;
  readonly cards: readonly Card[];
  /** CUDA_VISIBLE_DEVICES. */
  readonly visible?: string;
  /** How XLA fared with a small step. */
  readonly xla: { readonly difference: number } | { readonly problem: string };
  /** The instructions for products in bfloat16 that the CPU has. */
  readonly bf16: readonly string[];
}

export interface Card {
  readonly name: string;
  readonly gib: number;
  /** Compute capability, such as 9. */
  readonly capability: number;
}

/**
 * What `peco-exp doctor` prints below the engine, in lines: library, device, XLA, bfloat16. XLA is tried with the steps
 * of the probe. None where no library is loaded.
 */
export async function describeTensorflow(threads: number, expected: Probe): Promise<readonly string[]> {
  const found = await findTensorflow(threads);
  if ('missing' in found) return [];
  const xla = await tryXla(threads, expected);
  const usesGpu = found.thread.usesGpu;
  return formatTensorflow({ library: found.place, usesGpu, xla, ...inspectMachine() });
}

/** What a run should say before its steps begin, in lines. None where no library is loaded. */
export async function warnOfTensorflow(): Promise<readonly string[]> {
  const found = await findTensorflow();
  if ('missing' in found) return [];
  const warning = warnOfCpu({ library: found.place, usesGpu: found.thread.usesGpu, ...inspectMachine() });
  return warning === undefined ? [] : [warning];
}

/** That a library with CUDA computes on the CPU, why, and what to do; undefined where it has a GPU, or no CUDA. */
export function warnOfCpu(facts: Omit<TensorflowFacts, 'xla' | 'bf16'>): string | undefined {
  const device = describeDevice(facts);
  return !facts.usesGpu && device.startsWith(cpuBecause) ? `steps run on ${device}` : undefined;
}

/** How the device is called where it should be another. */
const cpuBecause = 'the CPU: ';

/** A step that XLA can't compile runs without it, with a warning: here that counts as a failure. */
async function tryXla(threads: number, expected: Probe): Promise<TensorflowFacts['xla']> {
  const warnings: string[] = [];
  const listen = ({ message }: Error) => void warnings.push(message);
  process.on('warning', listen);
  try {
    const engine = await openCompiledTensorflow(threads, { mode: 'xla' });
    const difference = probeDifference(await trainProbe(engine), expected);
    engine.dispose();
    // Warnings come in the next turn of the event loop.
    await setImmediate();
    const problem = warnings.find((message) => /without XLA/.test(message));
    return problem === undefined ? { difference } : { problem };
  } catch (error) {
    return { problem: (error as Error).message };
  } finally {
    process.off('warning', listen);
  }
}

/** The facts that the machine itself tells. */
function inspectMachine(): Pick<TensorflowFacts, 'driver' | 'cards' | 'visible' | 'bf16'> {
  const driver = readDriver();
  const visible = process.env.CUDA_VISIBLE_DEVICES;
  return {
    ...(driver === undefined ? {} : { driver }),
    ...(visible === undefined ? {} : { visible }),
    cards: driver === undefined ? [] : listCards(),
    bf16: bf16Instructions(),
  };
}

function listCards(): readonly Card[] {
  const query = ['--query-gpu=name,memory.total,compute_cap', '--format=csv,noheader,nounits'];
  try {
    const options = {
      encoding: 'utf8',
      timeout: 10_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    } satisfies ExecFileSyncOptionsWithStringEncoding;
    return parseCards(execFileSync('nvidia-smi', query, options));
  } catch {
    // Not everywhere is the program beside the driver.
    return [];
  }
}

/** What `nvidia-smi` prints: a line a card, of name, MiB and compute capability. */
export function parseCards(text: string): readonly Card[] {
  return text
    .trim()
    .split('\n')
    .map((line) => line.split(',').map((part) => part.trim()))
    .filter((parts) => parts.length === 3)
    .map(([name = '', mib, capability]) => ({
      name,
      gib: Math.round((Number(mib) / 1024) * 10) / 10,
      capability: Number(capability),
    }));
}

function bf16Instructions(file = '/proc/cpuinfo'): readonly string[] {
  try {
    const flags = new Set(/^flags\s*:(.*)$/m.exec(fs.readFileSync(file, 'utf8'))?.[1]?.trim().split(/\s+/));
    return ['avx512_bf16', 'amx_bf16'].filter((flag) => flags.has(flag));
  } catch {
    return [];
  }
}

export function formatTensorflow(facts: TensorflowFacts): readonly string[] {
  const { library, xla } = facts;
  return [
    `library: ${describeLibrary(library)}`,
    `device: ${describeDevice(facts)}`,
    'problem' in xla
      ? `XLA: does not compile: ${xla.problem}`
      : `XLA: compiles; the same steps differ by ${xla.difference.toExponential(0)}`,
    `bfloat16: ${describeBf16(facts)}`,
  ];
}

function describeLibrary({ from, folder }: LocatedTensorflow): string {
  if ('own' in from) return `a folder of your own, ${folder}`;
  if ('package' in from) return `that of ${from.package}, in ${folder}`;
  const { cuda } = from.record;
  return `${cuda === undefined ? 'built for CPUs' : `built for CUDA ${cuda}`}, in ${folder}`;
}

function describeDevice({
  library: { from },
  usesGpu,
  driver,
  cards,
  visible,
}: Omit<TensorflowFacts, 'xla' | 'bf16'>): string {
  if (usesGpu) {
    const names = cards.map(({ name, gib }) => `${name}, ${gib} GiB`).join('; ');
    return `${names || 'a GPU'}${driver === undefined ? '' : ` (driver ${driver})`}`;
  }
  if ('own' in from && driver === undefined) return 'the CPU';
  if (!hasCuda(from))
    return driver === undefined
      ? 'the CPU'
      : `the CPU, although this machine has a driver of NVIDIA (${driver}): peco-exp provision tensorflow --gpu`;
  const obstacle = explainDriver(driver);
  if (obstacle !== undefined) return `${cpuBecause}${obstacle}`;
  if (visible !== undefined && !/\d/.test(visible.replaceAll('-1', '')))
    return `${cpuBecause}CUDA_VISIBLE_DEVICES is ${JSON.stringify(visible)}, which hides all GPUs; unset it`;
  return `${cpuBecause}TensorFlow finds no GPU with the driver ${driver}; nvidia-smi should list one, and TF_CPP_MIN_LOG_LEVEL=0 makes TensorFlow say more`;
}

/** As far as it is known: of a folder of the user's own it isn't. */
function hasCuda(from: LocatedTensorflow['from']): boolean {
  if ('own' in from) return true;
  return 'package' in from ? from.package.includes('gpu') : from.record.cuda !== undefined;
}

function describeBf16({ usesGpu, cards, bf16 }: TensorflowFacts): string {
  if (usesGpu) {
    // Ampere and later.
    const lacking = cards.filter(({ capability }) => capability < 8);
    if (cards.length === 0) return 'unknown of this GPU';
    return lacking.length === 0
      ? 'products of the GPU have it'
      : `${lacking[0].name} has no products in it (compute capability ${lacking[0].capability}, 8 is needed)`;
  }
  return bf16.length > 0
    ? `products of this CPU have it (${bf16.join(', ')})`
    : 'this CPU has no products in it (neither avx512_bf16 nor amx_bf16): they would be slower than float32';
}
