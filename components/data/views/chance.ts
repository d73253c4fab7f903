/** Names the streams that all is drawn from which a view leaves to chance for an image. */
export type Chance = readonly [seed: number, purpose: string, epoch: number, index: number];
