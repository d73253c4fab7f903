/** How many of so many images are kept back to measure accuracy on: the share, and at least one. */
export function countHeldOut(images: number, share: number): number {
  return Math.max(1, Math.round(images * share));
}
