import type { LoadFunction } from '../../../framework/stage/contract.ts';
import { type Backbone, loadBackbone } from '../../backbone/checkpoint.ts';

export const load: LoadFunction<Backbone> = (input) => loadBackbone(input);
