import type { Pixels } from '../../types.ts';
import type { Workspace } from './kernels.ts';

type Form = Omit<Pixels, 'bytes'>;

/** An image in the memory of JavaScript or of the kernels: copied to the other when it is first wanted there. */
export class Source implements Form {
  readonly space: Workspace;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  private own: Uint8Array | undefined;
  private place: number | undefined;

  private constructor(space: Workspace, { height, width, channels }: Form) {
    this.space = space;
    this.height = height;
    this.width = width;
    this.channels = channels;
  }

  static of(space: Workspace, pixels: Pixels): Source {
    const source = new Source(space, pixels);
    source.own = pixels.bytes;
    return source;
  }

  /** What a kernel wrote. */
  static at(space: Workspace, address: number, form: Form): Source {
    const source = new Source(space, form);
    source.place = address;
    return source;
  }

  get pixels(): Pixels {
    const { height, width, channels } = this;
    this.own ??= this.space.get(this.place!, height * width * channels);
    return { bytes: this.own, height, width, channels };
  }

  get address(): number {
    this.place ??= this.space.put(this.own!);
    return this.place;
  }

  /** The address of a pixel. */
  addressOf(top: number, left: number): number {
    return this.address + (top * this.width + left) * this.channels;
  }
}
