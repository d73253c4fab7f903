import type { WiredInputs } from '../../framework/stage/component.ts';
import {
  deriveNetwork,
  perceptualNetwork,
  recipe,
  type TokenizerTraining,
  tokenizerExports,
} from './config.ts';
import { type Convolutional, type MiddleOf, tokenizerCosts, tokenizerUse } from './costs.ts';
import { smokeTokenizer } from './smoke.ts';

type Trained = Convolutional & TokenizerTraining;

/**
 * What the definitions of the convolutional tokenizers that are trained here have in common. In a file of its own, since
 * the other ones are imported by stages, whose keys would count a change of this.
 *
 * @param middleOf what is between encoder and decoder
 */
export function convolutional(middleOf: MiddleOf) {
  return {
    role: 'tokenizer',
    inputs: perceptualNetwork,
    derive: (config: Trained) => ({ ...recipe.derive(config), ...deriveNetwork(config) }),
    smoke: smokeTokenizer,
    costs: (config: Trained, inputs: WiredInputs) => tokenizerCosts(config, inputs, middleOf),
    use: (config: Trained, size: number) => tokenizerUse(config, size, middleOf),
    provides: ({ stride, codebook }: Trained) => ({ stride, vocabulary: codebook.size }),
    steps: recipe.length,
    exports: tokenizerExports,
  } as const;
}
