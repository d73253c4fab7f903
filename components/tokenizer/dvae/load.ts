import * as tf from '@tensorflow/tfjs-core';
import type { LoadFunction } from '../../../framework/stage/contract.ts';
import { applyEncoder } from '../autoencoder.ts';
import { bestCodes } from '../codebook.ts';
import type { Tokenizer } from '../tokenizer.ts';
import { loadTokenizer } from '../tokenizer.ts';
import type { DvaeConfig } from './config.ts';

export const load: LoadFunction<Tokenizer, DvaeConfig> = async ({ config, dir }) =>
  loadTokenizer(dir, config, (weights, images) => {
    const logits = applyEncoder(weights.encoder, images);
    return bestCodes(tf.reshape(logits, [-1, config.codebook.size]));
  });
