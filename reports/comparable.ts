import type { StageInput } from '../framework/stage/contract.ts';
import type { Json } from '../framework/stage/json.ts';
import { own } from '../framework/stage/own.ts';
import { distinct } from './cells.ts';
import {
  type PublishedMethod,
  type PublishedNumber,
  type PublishedTask,
  publishedMetrics,
  publishedResults,
} from './published.ts';
import type { CellResult } from './results.ts';
import type { AblationTable, TableColumn } from './table.ts';

/** What papers report that can be put beside a table; both empty where nothing can. */
export interface Published {
  /** To stand beneath the rows, each with a number in one column at least. */
  readonly rows: readonly PublishedRow[];
  /** Of rows that do what two methods do. */
  readonly differences: readonly PublishedDifference[];
}

export interface PublishedRow {
  readonly method: PublishedMethod;
  /** Of pretraining. */
  readonly epochs: number;
  /** In the order of the table's columns. */
  readonly cells: readonly (PublishedNumber | undefined)[];
}

/** The difference between two rows beside that between the methods which they follow. */
export interface PublishedDifference {
  readonly variant: string;
  readonly baseline: string;
  readonly methods: readonly [own: PublishedMethod, baseline: PublishedMethod];
  /** Its place among the table's columns. */
  readonly column: number;
  /** Shares. */
  readonly here: number;
  /** After as many epochs of pretraining each. */
  readonly papers: readonly { readonly epochs: number; readonly difference: number }[];
}

/** Which rows do what a paper does, by their names. */
export type Methods = { readonly [variant: string]: PublishedMethod };

export const nothingPublished: Published = { rows: [], differences: [] };

/** Published numbers for the columns of a table that have been measured on the data, and at the size, of the papers. */
export function publishedBeside(
  table: AblationTable,
  methods: Methods,
  results: readonly CellResult[],
  inputs: { readonly [name: string]: StageInput },
): Published {
  const comparable = results.filter((cell) => isComparable(cell, inputs[cell.input]));
  const taskOf = (column: TableColumn, variant?: string): PublishedTask | undefined => {
    const cell = comparable.find(
      (one) => one.task === column.task && (variant === undefined || one.variant === variant),
    );
    const kind = cell && (inputs[cell.input].kind as PublishedTask);
    return kind !== undefined && publishedMetrics[kind] === column.metric ? kind : undefined;
  };
  const rows = publishedResults.map(({ method, epochs, numbers }): PublishedRow => {
    const tasks = table.columns.map((column) => taskOf(column));
    return { method, epochs, cells: tasks.map((task) => (task ? numbers[task] : undefined)) };
  });
  const differences = table.rows.flatMap(({ variant, baseline, cells }) =>
    table.columns.flatMap((column, place): PublishedDifference[] => {
      const difference = cells[place]?.difference;
      if (difference === undefined || baseline === null) return [];
      const task = taskOf(column, baseline) && taskOf(column, variant);
      const [mine, theirs] = [variant, baseline].map((name) => own(methods, name));
      if (task === undefined || mine === undefined || theirs === undefined) return [];
      const papers = differencesOf(mine, theirs, task);
      if (papers.length === 0) return [];
      return [{ variant, baseline, methods: [mine, theirs], column: place, here: difference.mean, papers }];
    }),
  );
  return { rows: rows.filter(({ cells }) => cells.some((number) => number !== undefined)), differences };
}

function differencesOf(own: PublishedMethod, other: PublishedMethod, task: PublishedTask) {
  const numberOf = (method: PublishedMethod, length: number) =>
    publishedResults.find((one) => one.method === method && one.epochs === length)?.numbers[task]?.value;
  return distinct(publishedResults.map(({ epochs }) => epochs)).flatMap((epochs) => {
    const [a, b] = [numberOf(own, epochs), numberOf(other, epochs)];
    return a === undefined || b === undefined ? [] : [{ epochs, difference: a - b }];
  });
}

/** ImageNet-1K's labelled training images, as stages of tasks say how many labels they had. */
const allLabels = '1,281,167 labels';

/** How many test images there are, and of how many pixels a side is what a task sees. */
const tests: { readonly [Task in PublishedTask]: { data: string; images: number; size: number } } = {
  'fine-tune': { data: 'image-folder', images: 50_000, size: 224 },
  'linear-probe': { data: 'image-folder', images: 50_000, size: 224 },
  upernet: { data: 'ade20k', images: 2000, size: 512 },
};

/**
 * Whether a cell was measured as papers measure: ViT-B/16, pretrained at 224 pixels, on all labels and all validation images
 * of ImageNet-1K, or on ADE20K. The number of its images says which images a folder holds.
 */
function isComparable({ metrics, about = '' }: CellResult, stage: StageInput | undefined): boolean {
  if (stage === undefined || !Object.hasOwn(tests, stage.kind)) return false;
  const { pretrained, test } = stage.inputs;
  if (pretrained === undefined || test === undefined) return false;
  const { data, images, size } = tests[stage.kind as PublishedTask];
  const isBase = Object.entries({ dim: 768, depth: 12, heads: 12, patch: 16 }).every(
    ([field, value]) => fieldOf(pretrained.config.backbone, field) === value,
  );
  return (
    isBase &&
    fieldOf(pretrained.config.view, 'size') === 224 &&
    pretrained.inputs.train?.kind === 'image-folder' &&
    test.kind === data &&
    metrics.images === images &&
    fieldOf(stage.config.view, 'size') === size &&
    (data !== 'image-folder' || about.startsWith(allLabels))
  );
}

function fieldOf(value: Json | undefined, field: string): Json | undefined {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isRecord && Object.hasOwn(value, field) ? (value as { [name: string]: Json })[field] : undefined;
}
