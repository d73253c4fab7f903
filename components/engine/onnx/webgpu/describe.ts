import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { runAllSorts } from './all-sorts.ts';
import { openWebgpuEngine } from './engine.ts';

/**
 * What `peco-exp doctor` prints below the engine, in lines: the device, and the operators of a step of all sorts that ran on the
 * CPU. `opener` is a command line that opens the engine in a process of its own, and ends.
 */
export async function describeWebgpu(threads: number, opener: readonly string[]): Promise<readonly string[]> {
  const [device, counts] = [await nameDevice(opener), await countOperators(threads)];
  return formatWebgpu(device, counts);
}

/** Operators by where they ran: how often each. */
export interface Placement {
  readonly device: ReadonlyMap<string, number>;
  readonly cpu: ReadonlyMap<string, number>;
}

export function formatWebgpu(device: string | undefined, { device: there, cpu }: Placement): string[] {
  const software = device !== undefined && /SwiftShader|llvmpipe|Basic Render/i.test(device);
  const sum = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((a, b) => a + b, 0);
  return [
    `device: ${device ?? "ONNX Runtime doesn't tell its name; it asks for the fastest"}${software ? ': in software, slower than --engine onnx' : ''}`,
    cpu.size === 0
      ? 'operators: all on the device'
      : `operators: ${sum(there)} on the device, ${sum(cpu)} on the CPU (${[...cpu.keys()].sort().join(', ')})`,
  ];
}

/** The device that ONNX Runtime has taken. It doesn't tell, but Vulkan's loader does, if asked to. */
async function nameDevice([command, ...args]: readonly string[]): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined;
  try {
    const env = { ...process.env, VK_LOADER_DEBUG: 'driver,layer' };
    const { stderr } = await promisify(execFile)(command!, args, {
      env,
      timeout: 60_000,
      maxBuffer: 2 ** 26,
    });
    return namedDevice(stderr);
  } catch {
    return undefined;
  }
}

/** The last device that Vulkan's loader speaks of, with the file of its driver. */
export function namedDevice(printed: string): string | undefined {
  const found = [...printed.matchAll(/Using "([^"]+)" with driver: "([^"]+)"/g)].at(-1);
  return found && `${found[1]} (${path.basename(found[2]!)})`;
}

/** Runs one step with a profile, and reads that. */
async function countOperators(threads: number): Promise<Placement> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'peco-webgpu-'));
  try {
    const engine = await openWebgpuEngine(threads, path.join(folder, 'step'));
    await runAllSorts(engine);
    engine.dispose();
    return placementOf(
      fs.readdirSync(folder).map((file) => fs.readFileSync(path.join(folder, file), 'utf8')),
    );
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

interface Event {
  readonly cat: string;
  readonly args?: { readonly provider?: string; readonly op_name?: string };
}

/** Counts the operators in ONNX Runtime's profiles; copies between host and device are none. */
export function placementOf(profiles: readonly string[]): Placement {
  const placement = { device: new Map<string, number>(), cpu: new Map<string, number>() };
  for (const { cat, args } of profiles.flatMap((text) => JSON.parse(text) as Event[])) {
    const { provider, op_name: name } = args ?? {};
    if (cat !== 'Node' || provider === undefined || name === undefined || name.startsWith('Memcpy')) continue;
    const counts = provider === 'CPUExecutionProvider' ? placement.cpu : placement.device;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return placement;
}
