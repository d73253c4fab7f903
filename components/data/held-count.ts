// Apart from hold-out.ts, which draws: what an experiment file imports reads and draws nothing, so that a run with nothing to
// do needs no evaluation (framework/cli/quick).

/** How many of so many images are kept back: the share, and at least one. */
export function countHeldOut(images: number, share: number): number {
  return Math.max(1, Math.round(images * share));
}
