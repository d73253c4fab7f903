import * as tf from '@tensorflow/tfjs-core';
import { StageError } from '../../framework/stage/stage-error.ts';
import type { Engine } from '../engine/types.ts';
import { hostTensor } from '../nn/tree.ts';
import type { FeatureRows } from './features.ts';
import { countOnes, rightRows, shareOf } from './right.ts';

export interface NearestOptions {
  readonly classes: number;
  /** Numbers of neighbours that vote. */
  readonly ks: readonly number[];
  /** A neighbour's vote is exp(cosine / temperature). */
  readonly temperature: number;
  readonly signal: AbortSignal;
  /** Called with the number of test rows that are done. */
  onRows?(done: number): void;
}

/** Shares of test rows whose label has the most votes, and is among the first five (of fewer than five votes, those). */
export interface NearestResult {
  readonly k: number;
  readonly top1: number;
  readonly top5: number;
  /** Of each test row whether its label has the most votes, 1 or 0. */
  readonly right: Uint8Array;
}

const QUERIES = 256;
const KEYS = 4096;

/**
 * Weighted nearest neighbours by cosine similarity (Wu et al. 2018; facebookresearch/dino, eval_knn.py), for all k at once.
 * Similarities are float32 products of an engine, block by block; of equal ones the earlier row counts first, of equal votes
 * the earlier class.
 *
 * @throws StageError if a feature is NaN or infinite
 */
export async function nearestNeighbours(
  engine: Engine,
  labelled: FeatureRows,
  test: FeatureRows,
  { classes, ks, temperature, signal, onRows }: NearestOptions,
): Promise<NearestResult[]> {
  const { width } = labelled;
  const [queries, keys] = [Math.min(QUERIES, test.count), Math.min(KEYS, labelled.count)];
  const most = Math.min(Math.max(...ks), labelled.count);
  const program = await engine.compile<
    object,
    { queries: tf.Tensor; keys: tf.Tensor },
    { products: tf.Tensor }
  >({
    name: 'similarities',
    state: engine.state<object>({}),
    batch: { queries: { shape: [queries, width] }, keys: { shape: [keys, width] } },
    step: (state, batch) => ({
      state,
      out: { products: tf.matMul(batch.queries as tf.Tensor2D, batch.keys as tf.Tensor2D, false, true) },
    }),
  });
  const first1 = ks.map(() => new Uint8Array(test.count));
  const first5 = ks.map(() => 0);
  for (let first = 0; first < test.count; first += queries) {
    const asked = unitRows(test, first, queries);
    const found = Array.from({ length: queries }, () => new Neighbours(most));
    for (let from = 0; from < labelled.count; from += keys) {
      signal.throwIfAborted();
      const known = unitRows(labelled, from, keys);
      const { products } = await program.run({ queries: asked, keys: known });
      const real = Math.min(keys, labelled.count - from);
      for (const [query, neighbours] of found.entries())
        neighbours.offer((products.data as Float32Array).subarray(query * keys, query * keys + real), from);
    }
    const real = Math.min(queries, test.count - first);
    const labels = Int32Array.from({ length: real }, (_, i) => test.labels[first + i]);
    for (const [place, k] of ks.entries()) {
      const votes = new Float32Array(real * classes);
      for (let query = 0; query < real; query++)
        votes.set(found[query].votes(k, labelled.labels, { classes, temperature }), query * classes);
      first1[place].set(rightRows(votes, labels), first);
      first5[place] += countOnes(rightRows(votes, labels, Math.min(5, k)));
    }
    onRows?.(first + real);
  }
  program.dispose();
  return ks.map((k, place) => ({
    ...{ k, top1: shareOf(first1[place]), top5: first5[place] / test.count },
    right: first1[place],
  }));
}

/** The most similar rows so far, the most similar first. */
class Neighbours {
  private readonly similarities: Float32Array;
  private readonly places: Int32Array;
  private count = 0;

  constructor(most: number) {
    this.similarities = new Float32Array(most);
    this.places = new Int32Array(most);
  }

  /** Rows from a place on, in their order. */
  offer(similarities: Float32Array, from: number): void {
    const most = this.places.length;
    for (let i = 0; i < similarities.length; i++) {
      const similarity = similarities[i];
      if (this.count === most && similarity <= this.similarities[most - 1]) continue;
      let at = this.count < most ? this.count++ : most - 1;
      for (; at > 0 && similarity > this.similarities[at - 1]; at--) {
        this.similarities[at] = this.similarities[at - 1];
        this.places[at] = this.places[at - 1];
      }
      this.similarities[at] = similarity;
      this.places[at] = from + i;
    }
  }

  /** Votes of the first k for each class; relative to the strongest one, since a small temperature makes them large. */
  votes(
    k: number,
    labels: ArrayLike<number>,
    { classes, temperature }: { readonly classes: number; readonly temperature: number },
  ): Float64Array {
    const votes = new Float64Array(classes);
    for (let i = 0; i < Math.min(k, this.count); i++)
      votes[labels[this.places[i]]] += Math.exp((this.similarities[i] - this.similarities[0]) / temperature);
    return votes;
  }
}

/** Rows of length 1 from a place on; those past the end repeat the last. */
function unitRows(features: FeatureRows, first: number, count: number) {
  const places = Int32Array.from({ length: count }, (_, i) => Math.min(first + i, features.count - 1));
  const rows = features.read(places).slice();
  const { width } = features;
  for (let row = 0; row < count; row++) {
    let squares = 0;
    for (let d = 0; d < width; d++) squares += rows[row * width + d] ** 2;
    if (!Number.isFinite(squares))
      throw new StageError(`row ${places[row]} of the features is not finite`, {
        hint: 'the training before it diverged: lower its learning rate',
      });
    // A row of zeros is like no other.
    const factor = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let d = 0; d < width; d++) rows[row * width + d] *= factor;
  }
  return hostTensor([count, width], rows);
}
