import { type HostTensor, hostTensor, stopGradient, tf } from 'peco-exp/kit';

/** Keeps the outermost levels within reach of tanh. */
const epsilon = 1e-3;

/** Half of the levels, rounded down: what lies between the lowest value and 0. */
const halfOf = (levels: readonly number[]) => levels.map((level) => Math.floor(level / 2));

/** How far the index moves with each level of a channel: 1, L1, L1 L2, ... */
function basisOf(levels: readonly number[]): number[] {
  let product = 1;
  return levels.map((level) => {
    const own = product;
    product *= level;
    return own;
  });
}

/**
 * z [..., channels] -> the nearest values that the levels allow, in [-1, 1]. Rounding passes the gradient through as it
 * is; tanh before it keeps z in bounds.
 */
export function quantise<T extends tf.Tensor>(z: T, levels: readonly number[]): T {
  const half = levels.map((level) => ((level - 1) * (1 - epsilon)) / 2);
  // An even number of levels has none in the middle: half a level is moved down, and 0 stays where it was.
  const offset = levels.map((level) => (level % 2 === 0 ? 0.5 : 0));
  const shift = offset.map((value, channel) => Math.tan(value / half[channel]!));
  const bounded = tf.sub(tf.mul(tf.tanh(tf.add(z, shift)), half), offset);
  const rounded = tf.add(bounded, stopGradient(tf.sub(tf.round(bounded), bounded)));
  return tf.div(rounded, halfOf(levels));
}

/** Quantised [..., channels] -> codes int32 [...]. */
export function codesOf(quantised: tf.Tensor, levels: readonly number[]): tf.Tensor {
  const half = halfOf(levels);
  const level = tf.add(tf.mul(quantised, half), half);
  return tf.cast(tf.round(tf.sum(tf.mul(level, basisOf(levels)), -1)), 'int32');
}

/** What each code stands for: [codes, channels]. */
export function codebookOf(levels: readonly number[]): HostTensor {
  const [half, basis] = [halfOf(levels), basisOf(levels)];
  const size = levels.reduce((all, level) => all * level, 1);
  const values = Array.from({ length: size }, (_, code) =>
    levels.map((level, channel) => (Math.floor(code / basis[channel]!) % level) / half[channel]! - 1),
  );
  return hostTensor([size, levels.length], Float32Array.from(values.flat()));
}
