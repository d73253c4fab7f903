import type { ConfigIssue } from '../../framework/stage/component.ts';
import type { NestedComponents } from '../../framework/stage/define.ts';
import { checkOffered } from '../../framework/stage/issues.ts';

/** An issue for each layer of a perceptual loss that its network doesn't have. */
export function checkLayers(
  config: { readonly loss: { readonly perceptual?: { readonly layers: readonly string[] } | undefined } },
  { network }: NestedComponents,
): ConfigIssue[] {
  const place = { path: ['loss', 'perceptual', 'layers'], what: 'layer' };
  return checkOffered(config.loss.perceptual?.layers ?? [], network, place);
}
