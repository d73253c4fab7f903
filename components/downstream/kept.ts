import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { appendFile, stat, truncate, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { type HostTree, leaves } from '../nn/tree.ts';

/** What was found out about images of a data set that follow each other. */
export interface KeptResult<Value> {
  /** Place of the first of them in the data set. */
  readonly image: number;
  /** How many they are. */
  readonly count: number;
  /** As JSON has it. */
  readonly value: Value;
}

/**
 * What an evaluation has found out, in a file of the work folder: in the order of the images, a line each. An evaluation that
 * was stopped or killed resumes after the last whole line, and makes all of its outputs from the lines. They belong to what
 * made them: weights, and whatever else decides their numbers.
 */
export class KeptResults<Value> {
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
   * Opens the file, or begins it: also where something else has made it. What comes after the last whole line is cut off.
   *
   * @param made what tells those that made it apart, such as `digestOf` weights
   * @param holds whether a line is still true, where it is about more than it says; without that they all are
   */
  static async open<Value>(
    file: string,
    made: string,
    holds: (result: KeptResult<Value>) => boolean = () => true,
  ): Promise<KeptResults<Value>> {
    const head = `${JSON.stringify({ made })}\n`;
    const size = existsSync(file) ? (await stat(file)).size : 0;
    let [images, length] = [0, 0];
    for await (const line of size > 0 ? linesOf(file) : []) {
      // A line without its line feed isn't whole, even if it can be read.
      const end = length + Buffer.byteLength(line) + 1;
      if (end > size) break;
      if (length === 0) {
        if (`${line}\n` !== head) break;
      } else {
        const result = resultOf(line) as KeptResult<Value> | undefined;
        if (result?.image !== images || !holds(result)) break;
        images += result.count;
      }
      length = end;
    }
    if (length === 0) await writeFile(file, head);
    else await truncate(file, length);
    return new KeptResults(file, images);
  }

  /** Adds what was found out about the next images, all in one piece. */
  async append(results: readonly KeptResult<Value>[]): Promise<void> {
    if (results.length === 0) return;
    await appendFile(this.#file, results.map((result) => `${JSON.stringify(result)}\n`).join(''));
    this.#images += results.reduce((sum, { count }) => sum + count, 0);
  }

  /** All of it, in order. */
  async *read(): AsyncGenerator<KeptResult<Value>, void, undefined> {
    let isHead = true;
    for await (const line of linesOf(this.#file)) {
      if (!isHead) yield JSON.parse(line) as KeptResult<Value>;
      isHead = false;
    }
  }
}

/** A digest of weights: of their bytes, in the order of the tree. */
export function digestOf(weights: unknown): string {
  const hash = createHash('sha256');
  for (const { leaf } of leaves(weights as HostTree)) {
    const { buffer, byteOffset, byteLength } = leaf.data;
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex');
}

function linesOf(file: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
}

function resultOf(line: string): KeptResult<unknown> | undefined {
  try {
    return JSON.parse(line) as KeptResult<unknown>;
  } catch {
    return undefined;
  }
}
