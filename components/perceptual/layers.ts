/**
 * Index of the deepest layer asked for.
 *
 * @param layers all layers of a network, from shallow to deep
 * @throws RangeError for a layer that isn't among them, or for none at all
 */
export function deepest(layers: readonly string[], asked: readonly string[]): number {
  if (asked.length === 0) throw new RangeError('features of no layer were asked for');
  const depths = asked.map((layer) => layers.indexOf(layer));
  const unknown = depths.indexOf(-1);
  if (unknown >= 0)
    throw new RangeError(`there is no layer "${asked[unknown]}"; there is: ${layers.join(', ')}`);
  return Math.max(...depths);
}
