import { cutWindow, type Picture, type Place } from './windows.ts';

/** What makes logits [count, size, size, classes] of windows uint8 [count, size, size, 3], always as many. */
export type Classify = (windows: Uint8Array) => Promise<Float32Array>;

/** What happens to the logits [size, size, classes] of a window. The array is overwritten afterwards. */
export type Receive = (logits: Float32Array) => void;

/**
 * Windows of pictures of any size, one after another, classified as many at once as a program takes. So pictures of a single
 * window share a run of it.
 */
export class WindowQueue {
  private readonly options: {
    readonly classify: Classify;
    readonly count: number;
    readonly size: number;
    readonly fill: readonly number[];
  };
  private readonly windows: Uint8Array;
  private readonly waiting: Receive[] = [];

  /** @param options `count`: windows of a run; `fill`: colour of what no picture covers */
  constructor(options: WindowQueue['options']) {
    this.options = options;
    this.windows = new Uint8Array(options.count * options.size ** 2 * 3);
  }

  async push(
    picture: Picture,
    place: Place,
    { mirrored, receive }: { readonly mirrored: boolean; readonly receive: Receive },
  ): Promise<void> {
    const { size, fill, count } = this.options;
    const pixels = size ** 2 * 3;
    const first = this.waiting.length * pixels;
    cutWindow(picture, place, this.windows.subarray(first, first + pixels), { size, mirrored, fill });
    this.waiting.push(receive);
    if (this.waiting.length === count) await this.flush();
  }

  /** Classifies what is left. Places of the run that no window fills are black. */
  async flush(): Promise<void> {
    if (this.waiting.length === 0) return;
    this.windows.fill(0, this.waiting.length * this.options.size ** 2 * 3);
    const logits = await this.options.classify(this.windows);
    const each = logits.length / this.options.count;
    for (const [place, receive] of this.waiting.entries())
      receive(logits.subarray(place * each, (place + 1) * each));
    this.waiting.length = 0;
  }
}
