import { movable, movesThere } from '../components/support/moving.ts';
import { withTensorflow } from './support/library.ts';

withTensorflow(() => {
  for (const kind of Object.keys(movable) as (keyof typeof movable)[])
    movesThere(kind, { first: 2, second: 4, engine: 'tensorflow', within: 1e-6 });
  movesThere('mim', { first: 2, second: 4, engine: 'tensorflow:xla', within: 1e-6 });
  // Three digits of a product; weights have moved by some hundredths.
  movesThere('mim', { first: 2, second: 4, engine: 'tensorflow:bf16', within: 0.02 });
});
