import type { Block, Vit } from '../backbone/vit.ts';
import type { HostTensor } from '../engine/types.ts';

/** What a task trains of a backbone: without its norm, and where positions are relative, each block has a table of its own. */
export type Body<T> = Omit<Vit<T>, 'norm' | 'relativePositions'>;

/** The backbone without its norm, each block with a copy of the table of relative positions that all share, as BEiT has it. */
export function bodyOf({ norm: _, relativePositions, ...body }: Vit<HostTensor>): Body<HostTensor> {
  const own = ([name, block]: [string, Block<HostTensor>]) =>
    [name, relativePositions ? { ...block, relativePositions } : block] as const;
  return { ...body, blocks: Object.fromEntries(Object.entries(body.blocks).map(own)) };
}

/**
 * How many layers come after that of a parameter, of depth + 1, where the backbone is the part `vit`: the embeddings are
 * layer 0, block i is i + 1, and all else is the last: what comes after the blocks, and a table of relative positions that they
 * share (microsoft/unilm, beit/optim_factory.py; the constructor of its segmentation counts the same).
 */
export function layersAfter([part, name, block]: readonly string[], depth: number): number {
  if (part !== 'vit' || name === 'relativePositions' || name === 'norm') return 0;
  return name === 'blocks' ? depth - Number(block) : depth + 1;
}
