import type { HostTensor } from '../engine/types.ts';
import { hostTensor } from '../nn/tree.ts';

/** Of each scalar its sum and its number, float32 [2], as they are in a checkpoint. */
export type Sums = { readonly [name: string]: HostTensor };

/**
 * Means of the values of steps, over the steps since the last point of a history. Sums are rounded to float32 at each step,
 * as a checkpoint keeps them, so that a training that was stopped on the way has the same means to the bit.
 */
export class Interval {
  private sums = new Map<string, readonly [sum: number, count: number]>();

  add(values: { readonly [name: string]: number }): void {
    for (const [name, value] of Object.entries(values)) {
      const [sum, count] = this.sums.get(name) ?? [0, 0];
      this.sums.set(name, [Math.fround(sum + value), count + 1]);
    }
  }

  /** The means of these scalars, in this order: a checkpoint doesn't keep one. The next interval begins. */
  take(names: readonly string[]): { [name: string]: number } {
    const means = names.map((name) => {
      const [sum, count] = this.sums.get(name) ?? [Number.NaN, 1];
      return [name, sum / count] as const;
    });
    this.sums.clear();
    return Object.fromEntries(means);
  }

  read(): Sums {
    return Object.fromEntries(
      [...this.sums].map(([name, pair]) => [name, hostTensor([2], Float32Array.from(pair))]),
    );
  }

  /** @param sums of `read`; none of a state that was saved at a point of the history */
  write(sums: Sums = {}): void {
    const pairs = Object.entries(sums).map(([name, { data }]) => [name, [data[0], data[1]]] as const);
    this.sums = new Map(pairs as [string, readonly [number, number]][]);
  }
}
