import type { ConfigIssue } from '../../framework/stage/component.ts';
import type { NestedComponents } from '../../framework/stage/define.ts';
import { checkOffered } from '../../framework/stage/issues.ts';

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
