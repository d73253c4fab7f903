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

/** Layers that are compared: a list, all with the weight 1, or a weight for each: `{ relu1_2: 1, relu3_3: 0.5 }`. */
export type Layers = readonly string[] | { readonly [layer: string]: number };

/** Each layer with its weight, in the order of the config. */
export function weighed(layers: Layers): readonly { readonly layer: string; readonly weight: number }[] {
  return isList(layers)
    ? layers.map((layer) => ({ layer, weight: 1 }))
    : Object.entries(layers).map(([layer, weight]) => ({ layer, weight }));
}

function isList(layers: Layers): layers is readonly string[] {
  return Array.isArray(layers);
}

/** `relu1_2 and relu3_3`, with weights where they are given: `relu1_2 (1) and relu3_3 (0.5)`. */
export function describeLayers(layers: Layers): string {
  const weights = !isList(layers);
  return weighed(layers)
    .map(({ layer, weight }) => (weights ? `${layer} (${weight})` : layer))
    .join(' and ');
}

/** An issue for each layer of a perceptual loss that its network doesn't have, or that is there already. */
export function checkLayers(
  config: { readonly loss: { readonly perceptual?: { readonly layers: Layers } | undefined } },
  { network }: NestedComponents,
): ConfigIssue[] {
  const given = config.loss.perceptual?.layers ?? [];
  const layers = weighed(given).map(({ layer }) => layer);
  const path = ['loss', 'perceptual', 'layers'];
  const twice = layers.flatMap((layer, index) =>
    layers.indexOf(layer) === index ? [] : [{ path: [...path, index], message: 'is listed twice' }],
  );
  const unknown = checkOffered(layers, network, { path, what: 'layer' });
  // A weight is found by its name, a name in a list by its place.
  const placed = isList(given)
    ? unknown
    : unknown.map((issue) => ({ ...issue, path: [...path, layers[issue.path.at(-1) as number]] }));
  return [...placed, ...twice];
}
