import { proveAll } from '../components/engine/steps/support/prove-all.ts';
import { withTensorflow } from './support/library.ts';

await withTensorflow(() => proveAll('tensorflow'));
