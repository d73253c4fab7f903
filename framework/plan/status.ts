/**
 * - `hit`: the result is stored.
 * - `run`: it is not.
 * - `maybe`: an upstream stage runs first, or a contest is not decided yet; then this one may not have to run.
 * - `stopped`: stored numbers say that its point of a halved sweep lost. It doesn't run, whether it is stored or not.
 */
export type StageStatus = 'hit' | 'run' | 'maybe' | 'stopped';

/** False for what is stored, and for what is stopped. */
export function mayRun({ status }: { readonly status: StageStatus }): boolean {
  return status === 'run' || status === 'maybe';
}
