import { movesThere } from '../components/support/moving.ts';

movesThere('mim', { first: 2, second: 3, engine: 'reference', within: 1e-6 });
