import os from 'node:os';
import { type Contender, Running, type Started, type Steps } from './contender.ts';
import { gpuMemoryMiB } from './machine.ts';

/** What became of a contender. */
export interface Measured {
  readonly name: string;
  readonly started?: Started;
  /** Steps of each round; fewer where it failed. */
  readonly rounds: readonly Steps[];
  /** Why there is nothing, or no more. */
  readonly missing?: string;
}

export interface Rounds {
  readonly rounds: number;
  readonly seconds: number;
  readonly gpu: boolean;
  readonly progress: (text: string) => void;
}

/** Measures round by round. One contender computes at a time; one that fails is not tried again. */
export async function measureInRounds(list: readonly Contender[], options: Rounds): Promise<Measured[]> {
  const found = new Map<string, Measured>(
    list.map(({ name, missing }) => [
      name,
      { name, rounds: [], ...(missing === undefined ? {} : { missing }) },
    ]),
  );
  // Those whose processes are kept begin, while most memory is free.
  const order = [...list].sort((a, b) => Number(b.slow ?? false) - Number(a.slow ?? false));
  const resting = new Resting();
  for (let round = 1; round <= options.rounds; round++) {
    for (const contender of order) {
      const before = found.get(contender.name)!;
      if (before.missing !== undefined) continue;
      options.progress(`round ${round} of ${options.rounds}: ${contender.name}`);
      found.set(
        contender.name,
        await measureOnce(contender, before, { ...options, resting, last: round === options.rounds }),
      );
    }
  }
  return list.map(({ name }) => found.get(name)!);
}

async function measureOnce(
  { name, command, slow = false }: Contender,
  before: Measured,
  { seconds, gpu, resting, last }: Rounds & { readonly resting: Resting; readonly last: boolean },
): Promise<Measured> {
  const used = gpu ? gpuMemoryMiB() : 0;
  const kept = resting.take(name);
  const running = kept ?? new Running(command!);
  try {
    const started = kept ? before.started : await running.answer<Started>();
    const steps = await running.measure(seconds);
    const round = gpu ? { ...steps, gpuMiB: gpuMemoryMiB() - used } : steps;
    if (last || gpu || !slow || !resting.keep(name, running, steps.peakMiB)) await running.end();
    return { ...before, started: before.started ?? started!, rounds: [...before.rounds, round] };
  } catch (error) {
    await running.end();
    return { ...before, missing: (error as Error).message };
  }
}

/** Processes at rest, which spares those that start slowly another start. */
class Resting {
  private readonly processes = new Map<string, Running>();
  private largestMiB = 0;

  take(name: string): Running | undefined {
    const found = this.processes.get(name);
    this.processes.delete(name);
    return found;
  }

  /** False if no room is left then for the largest process that there was. */
  keep(name: string, running: Running, peakMiB: number): boolean {
    this.largestMiB = Math.max(this.largestMiB, peakMiB);
    if (os.freemem() / 2 ** 20 < 1.3 * this.largestMiB) return false;
    this.processes.set(name, running);
    return true;
  }
}
