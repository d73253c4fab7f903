import type { ConfigIssue } from '../../framework/stage/component.ts';
import type { NestedComponents } from '../../framework/stage/define.ts';
import { checkOffered } from '../../framework/stage/issues.ts';

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

/** An issue for each layer of a perceptual loss that its network doesn't have, or that is there already. */
export function checkLayers(
  config: { readonly loss: { readonly perceptual?: { readonly layers: readonly string[] } | undefined } },
  { network }: NestedComponents,
): ConfigIssue[] {
  const layers = config.loss.perceptual?.layers ?? [];
  const path = ['loss', 'perceptual', 'layers'];
  const twice = layers.flatMap((layer, index) =>
    layers.indexOf(layer) === index ? [] : [{ path: [...path, index], message: 'is listed twice' }],
  );
  return [...checkOffered(layers, network, { path, what: 'layer' }), ...twice];
}
