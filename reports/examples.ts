import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** How a tokenizer uses its codes, as its evaluation wrote it to `codebook.json`. */
export interface CodebookUse {
  /** Test images whose codes were counted. */
  readonly images: number;
  /** How many tokens take each code; 0: a dead one. */
  readonly counts: readonly number[];
  /** The most used codes, one a row of the picture. */
  readonly shown: readonly number[];
  /** Side of a patch of the picture, and what lies between two and around all, in pixels. */
  readonly patch: number;
  readonly gap: number;
}

/** The same with `codes.png`. */
export interface Codebook extends CodebookUse {
  /** PNG. */
  readonly picture: Uint8Array;
}

/** Outputs of a stage that a page shows beside its numbers. */
export interface Examples {
  readonly codebook?: Codebook;
  /** PNG: images of a pretraining, and what of them was masked. */
  readonly masks?: Uint8Array;
}

/** @param dir of the stage's outputs. A stage of the user's may have files of these names that are something else. */
export async function readExamples(role: string, dir: string): Promise<Examples> {
  const read = (name: string) => readBytes(dir, name);
  if (role === 'pretraining') {
    const masks = await read('masks.png');
    return masks ? { masks } : {};
  }
  if (role !== 'evaluation') return {};
  const [use, picture] = [await readCodebookUse(dir), await read('codes.png')];
  return use && picture ? { codebook: { ...use, picture } } : {};
}

/** @param dir of an evaluation's outputs; undefined where it doesn't say how codes are used, as one of the user's may not. */
export async function readCodebookUse(dir: string): Promise<CodebookUse | undefined> {
  const text = await readBytes(dir, 'codebook.json');
  return text && parseUse(text.toString());
}

function readBytes(dir: string, name: string): Promise<Buffer | undefined> {
  return readFile(path.join(dir, name)).catch(() => undefined);
}

function parseUse(text: string): CodebookUse | undefined {
  try {
    const { images, counts, shown, patch, gap } = JSON.parse(text) as Partial<CodebookUse>;
    const numbers = (list: unknown): list is number[] =>
      Array.isArray(list) && list.every((value) => Number.isInteger(value) && value >= 0);
    const isUse = numbers([images, patch, gap]) && numbers(counts) && numbers(shown) && counts.length > 0;
    return isUse ? { images: images!, counts, shown, patch: patch!, gap: gap! } : undefined;
  } catch {
    return undefined;
  }
}
