import type { ConfigIssue } from '../../framework/stage/component.ts';
import type { NestedComponents, Offering } from '../../framework/stage/define.ts';

/** An issue for each layer of a perceptual loss that its network doesn't have. */
export function checkLayers(
  config: { readonly loss: { readonly perceptual?: { readonly layers: readonly string[] } | undefined } },
  inputs: NestedComponents,
): ConfigIssue[] {
  const { network } = inputs;
  const known = (network as Partial<Offering<string>> | undefined)?.offers;
  const asked = config.loss.perceptual?.layers;
  if (!network || !known || !asked) return [];
  return asked.flatMap((layer, index) =>
    known.includes(layer)
      ? []
      : [
          {
            path: ['loss', 'perceptual', 'layers', index],
            message: `the network "${network.kind}" has no layer "${layer}"`,
            hint: `its layers are ${known.join(', ')}`,
          },
        ],
  );
}
