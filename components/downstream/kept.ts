import { createReadStream, existsSync } from 'node:fs';
import { appendFile, stat, truncate, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { MaskSize } from '../../data/masks/runs.ts';
import { runsOfText, textOfRuns } from '../../data/masks/text.ts';
import type { Detection } from './detections.ts';

interface Line {
  readonly image: number;
  readonly size: readonly [height: number, width: number];
  readonly found: readonly (readonly [index: number, score: number, box: Detection['box'], mask: string])[];
}

/** The detections of an image, and its place in the data set. */
export interface KeptImage extends MaskSize {
  readonly image: number;
  readonly detections: readonly Detection[];
}

/**
 * Detections of the images of a data set in a file, in the order of the images, a line each: an evaluation that was stopped
 * or killed goes on after the last whole line. They belong to the weights that made them.
 */
export class KeptDetections {
  readonly #file: string;
  #images: number;

  private constructor(file: string, images: number) {
    this.#file = file;
    this.#images = images;
  }

  /** How many of the first images are in it. */
  get images(): number {
    return this.#images;
  }

  /**
   * Opens the file, or begins it: also where it is of other weights. What comes after the last whole line is cut off.
   *
   * @param weights what tells them from others
   */
  static async open(file: string, weights: string): Promise<KeptDetections> {
    const head = `${JSON.stringify({ weights })}\n`;
    const size = existsSync(file) ? (await stat(file)).size : 0;
    let [images, length] = [0, 0];
    for await (const line of size > 0 ? linesOf(file) : []) {
      // A line without its line feed isn't whole, even if it can be read.
      const end = length + line.length + 1;
      if (end > size || (length === 0 ? `${line}\n` !== head : lineOf(line)?.image !== images)) break;
      if (length > 0) images++;
      length = end;
    }
    if (length === 0) await writeFile(file, head);
    else await truncate(file, length);
    return new KeptDetections(file, images);
  }

  /** Adds the detections of the next images, all in one piece. */
  async append(images: readonly KeptImage[]): Promise<void> {
    const lines = images.map(({ image, height, width, detections }): Line => {
      const found = detections.map(
        ({ class: index, score, box, mask }) => [index, score, box, textOfRuns(mask)] as const,
      );
      return { image, size: [height, width], found };
    });
    await appendFile(this.#file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    this.#images += images.length;
  }

  /** All images, in order. */
  async *read(): AsyncGenerator<KeptImage, void, undefined> {
    let isHead = true;
    for await (const line of linesOf(this.#file)) {
      if (isHead) {
        isHead = false;
        continue;
      }
      const {
        image,
        size: [height, width],
        found,
      } = JSON.parse(line) as Line;
      const detections = found.map(([index, score, box, mask]): Detection => {
        return { class: index, score, box, mask: runsOfText(mask, { height, width }) };
      });
      yield { image, height, width, detections };
    }
  }
}

function linesOf(file: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
}

function lineOf(text: string): Line | undefined {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return undefined;
  }
}
