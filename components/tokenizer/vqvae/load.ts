import * as tf from '@tensorflow/tfjs-core';
import type { LoadFunction } from '../../../framework/stage/contract.ts';
import { applyEncoder } from '../autoencoder.ts';
import { codesOfTokens, unitRows } from '../codebook.ts';
import type { Tokenizer } from '../tokenizer.ts';
import { loadTokenizer } from '../tokenizer.ts';
import type { VqvaeConfig } from './config.ts';

export const load: LoadFunction<Tokenizer, VqvaeConfig> = async ({ config, dir }) =>
  loadTokenizer(dir, config, (weights, images) => {
    const encoded = applyEncoder(weights.encoder, images);
    const { dim, normalise } = config.codebook;
    const tokens = tf.reshape(encoded, [-1, dim]);
    return codesOfTokens(normalise ? unitRows(tokens) : tokens, weights.codebook);
  });
