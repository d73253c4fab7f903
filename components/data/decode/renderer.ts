import type { ImageBytes } from '../types.ts';
import { type Chance, renderPictures, type Sight } from '../views/render.ts';
import { decode } from './decode.ts';

/** One image and what is to be seen of it. */
export interface RenderTask {
  readonly image: ImageBytes;
  readonly sight: Sight;
  readonly chance?: Chance;
}

export interface Renderer {
  /** The pictures of an image as RGB bytes `[size, size, 3]`. */
  render(task: RenderTask): Promise<Uint8Array[]>;
  close(): Promise<void>;
}

export function openRenderer(_workers: number): Renderer {
  return {
    async render({ image, sight, chance }) {
      return renderPictures(await decode(image), sight, chance);
    },
    close: async () => {},
  };
}
