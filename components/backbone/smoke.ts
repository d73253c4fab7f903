import type { SmokeChanges } from '../../framework/stage/component.ts';
import { smokeDepth } from '../nn/smoke.ts';
import type { VitConfig } from './config.ts';

const dim = 32;
const heads = 2;

/** A transformer of a smoke run, with patches of so many pixels: at most 4 blocks, 32 wide, with 2 heads. */
export function smokeVit(config: VitConfig, patch = config.patch): SmokeChanges {
  return {
    patch,
    depth: Math.min(config.depth, smokeDepth),
    ...(config.dim > dim ? { dim, heads: Math.min(config.heads, heads) } : {}),
  };
}
