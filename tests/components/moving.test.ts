import { movesThere } from './support/moving.ts';

// One step on the reference, which is slow; a codebook that no gradient moves, and a transformer.
for (const kind of ['vqvae', 'mim'] as const)
  movesThere(kind, { first: 2, second: 3, engine: 'reference', within: 1e-6 });
