import type { CellResult } from './results.ts';

/** The most rows that are named where a sentence is of some of them. */
const mostNames = 6;

/** `pixel, peco seed 1`: rows, with seeds where not all of the row's are meant. */
export function describeCells(some: readonly CellResult[], all: readonly CellResult[]): string {
  const names = distinct(some.map(({ variant }) => variant)).map((variant) => {
    const of = (cells: readonly CellResult[]) => cells.filter((cell) => cell.variant === variant);
    const seeds = of(some).map(({ seed }) => seed);
    return seeds.length === of(all).length ? variant : `${variant} seed ${seeds.join(' and ')}`;
  });
  return firstNames(names);
}

/** All of them, or the first and how many more there are. */
export function firstNames(names: readonly string[]): string {
  const more = names.length - mostNames;
  return more > 0 ? `${names.slice(0, mostNames).join(', ')} and ${more} more` : names.join(', ');
}

export function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
