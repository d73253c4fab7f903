import type { HostTensor } from '../../../components/engine/types.ts';
import type { TokenizerWeights } from '../../../components/tokenizer/tokenizer.ts';
import type { VqvaeConfig } from '../../../components/tokenizer/vqvae/config.ts';
import { vqvaeObjective } from '../../../components/tokenizer/vqvae/model.ts';

/** The weights that the training of a VQ-VAE begins with, as its stage writes them. */
export function untrainedVqvae(config: unknown, seed = 0): TokenizerWeights<HostTensor> {
  const { init, rest } = vqvaeObjective(config as VqvaeConfig, { constants: {} } as never, seed);
  return { ...init(), codebook: rest!.init().vectors };
}
