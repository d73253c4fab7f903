import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { canonicalJson } from '../framework/stage/canonical.ts';
import type { StageInput } from '../framework/stage/contract.ts';
import type { CellPlace, TableConfig } from '../framework/stage/table.ts';

export type { CellPlace, TableConfig } from '../framework/stage/table.ts';

/** What the framework adds to a report's config. */
export interface InTable {
  readonly table: TableConfig;
}

/** What a stage says of its result. */
export interface StageFacts {
  /** `onnx`, or `onnx, from step 60 tensorflow:bf16` of a training that moved. */
  readonly engine: string;
  /** In a few words; see `StageResult`. */
  readonly about?: string;
  readonly metrics: { readonly [name: string]: number };
}

/** What a stage stored of test sets that were drawn from its test images; see `StageResult`. */
export interface Resampled {
  readonly images: number;
  readonly draws: string;
  readonly values: { readonly [metric: string]: readonly number[] };
}

/** A cell with its numbers. */
export interface CellResult extends CellPlace, StageFacts {
  /** Of metrics that are means over test images the value of each image, if the stage stored them. */
  readonly perImage?: { readonly [metric: string]: readonly number[] };
  /** Of metrics that are no such means their values on test sets drawn from the images, if the stage stored them. */
  readonly resampled?: Resampled;
  /** Names the test data that the stage was given; the same text means the same images. */
  readonly test?: string;
}

/** The numbers of all cells of a table, of a report's inputs. */
export async function readResults(
  table: TableConfig,
  inputs: { readonly [name: string]: StageInput },
): Promise<CellResult[]> {
  return Promise.all(
    table.cells.map(async (cell) => {
      const stage = inputs[cell.input];
      const { test } = stage.inputs;
      return {
        ...cell,
        ...(await readStageFacts(stage)),
        ...(await readPerImage(stage)),
        ...(await readResampled(stage)),
        ...(test === undefined ? {} : { test: canonicalJson([test.kind, test.config, test.files]) }),
      };
    }),
  );
}

async function readPerImage({ dir }: StageInput): Promise<Pick<CellResult, 'perImage'>> {
  const perImage = await readIfThere<NonNullable<CellResult['perImage']>>(path.join(dir, 'per-image.json'));
  return perImage === undefined ? {} : { perImage };
}

async function readResampled({ dir }: StageInput): Promise<Pick<CellResult, 'resampled'>> {
  const resampled = await readIfThere<Resampled>(path.join(dir, 'resampled.json'));
  return resampled === undefined ? {} : { resampled };
}

async function readIfThere<T>(file: string): Promise<T | undefined> {
  const text = await readFile(file, 'utf8').catch(absent);
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

/** @throws Error if the input is a leaf: those have no result */
export async function readStageFacts({ dir }: StageInput): Promise<StageFacts> {
  return JSON.parse(await readFile(path.join(dir, 'metrics.json'), 'utf8')) as StageFacts;
}

/** Of a file that isn't there there is nothing to read; other errors stay errors. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
