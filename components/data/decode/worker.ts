import type { ImageBytes } from '../types.ts';
import type { Chance } from '../views/chance.ts';
import { type Rendered, renderPictures, type Sight } from '../views/render.ts';
import { decode } from './decode.ts';

/** One image, and what is to be seen of it. */
export interface RenderTask {
  readonly image: ImageBytes;
  readonly sight: Sight;
  readonly chance?: Chance;
}

/**
 * The pictures of an image. What the threads of the pool run: they load this module by its
 * name (renderer.ts). Everyone else imports it, so it is in the keys like any other code.
 */
export async function render({ image, sight, chance }: RenderTask): Promise<Rendered[]> {
  return renderPictures(await decode(image), sight, chance);
}
