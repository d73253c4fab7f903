import { movesThere } from './support/moving.ts';

// One step on the reference, which is slow; a codebook that no gradient moves. A transformer: tests/long/moving.long.ts.
movesThere('vqvae', { first: 2, second: 3, engine: 'reference', within: 1e-6 });
