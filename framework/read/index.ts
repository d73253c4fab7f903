/** What scripts and notebooks import as `peco-exp/results`. */
export type { MetricsOf, TaskOf, VariantOf } from './names.ts';
export { type ReadOptions, type ResultCell, type Results, readResults } from './results.ts';
