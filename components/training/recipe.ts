import { z } from 'zod';
import type { ConfigIssue, SmokeChanges } from '../../framework/stage/component.ts';
import { constant } from '../../framework/stage/constant.ts';
import { StageError } from '../../framework/stage/stage-error.ts';
import { type Schedule, scheduleSchema } from './schedule-config.ts';

/** How long to train: passes over the images, or steps. The unit of `warmup` and of the rungs of a halving, too. */
export type LengthUnit = 'epochs' | 'steps';

/** What a paper's table of hyperparameters says of a training: the same fields for all of them. */
export interface Recipe {
  /** One of the two. */
  readonly epochs?: number | undefined;
  readonly steps?: number | undefined;
  /** Images a step. */
  readonly batchSize: number;
  /** Images that are in memory at once; their gradients are summed up. Absent: the whole batch. */
  readonly microBatch?: number | undefined;
  /** Peak of the schedule, and where it ends; one that falls in steps ends where its factors lead. */
  readonly learningRate: number;
  readonly minLearningRate?: number | undefined;
  /** Linear from 0, in the unit of the length. */
  readonly warmup?: number | undefined;
  /** Absent: a cosine. */
  readonly schedule?: Schedule | undefined;
  readonly betas: readonly [number, number];
  readonly weightDecay: number;
  readonly clipNorm: number;
  readonly noDecay?: readonly string[] | undefined;
  readonly layerDecay?: number | undefined;
  readonly average?: number | undefined;
}

/** What a kind of training has where its config says nothing. */
export interface RecipeDefaults {
  /** Absent: the config says how long. */
  readonly steps?: number;
  readonly batchSize: number;
  readonly learningRate: number;
  /** At most; never above the peak. */
  readonly minLearningRate?: number;
  /** At most; never more than a fifth of the length. */
  readonly warmup: { readonly [unit in LengthUnit]: number };
  readonly weightDecay?: number;
  readonly clipNorm?: number;
}

const count = z.int().positive();
const below1 = z.number().min(0).lt(1);

/** Names of parameters that do not decay, beside those of one dimension. BEiT: class token and absolute positions. */
export const noDecay = constant(z.array(z.string())).default(['classToken', 'positions']);

/** Learning rate of layer l of L is scaled by this to the power L + 1 - l; 1: the same for all. */
export const layerDecay = z.number().positive().max(1);

/**
 * Share of images for which the residual branches of the last block are left out; it grows linearly from 0 at the first
 * block (Huang et al. 2016). 0: none is ever left out. BEiT: 0.1, and 0.2 at the fine-tuning of large networks.
 */
export const dropPath = z.number().min(0).lt(1).default(0.1);

/** For a training that needn't follow a cosine: a field of its schema beside those of its recipe. */
export const schedule = (usual: Schedule) => scheduleSchema.default(usual);

/** Decay of a moving average of the weights, which is then the result; absent: the last weights are. */
export const average = z.number().gt(0).lt(1).optional();

type Length = Pick<Recipe, 'epochs' | 'steps'>;
/** Also where other fields are wrong: all mistakes are reported at once. */
const when = ({ value }: { readonly value: unknown }) => typeof value === 'object' && value !== null;

/** For `check` of a schema: `steps` or `epochs`, and not both. */
export const oneLength = [
  z.refine<Length>(({ epochs, steps }) => epochs !== undefined || steps !== undefined, {
    path: ['steps'],
    error: 'is missing: give `steps`, or `epochs`, which are passes over the images',
    when,
  }),
  notBothLengths(),
] as const;

/** The same where a length may be left out. */
export function notBothLengths() {
  return z.refine<Length>(({ epochs, steps }) => epochs === undefined || steps === undefined, {
    path: ['epochs'],
    error: 'is given beside `steps`: give one of them',
    when,
  });
}

/** Makes the compiler ask for one of `steps` and `epochs`, as the schema does. */
export function askForLength<C extends (...input: never[]) => unknown>(construct: C) {
  type Input = NonNullable<Parameters<C>[0]>;
  type Once =
    | { readonly steps: number; readonly epochs?: never }
    | { readonly epochs: number; readonly steps?: never };
  return construct as unknown as (input: Input & Once) => ReturnType<C>;
}

/**
 * The fields of a training, with its defaults, and what a definition needs beside them: spread `fields` into the schema,
 * and give `derive`, `check` and `length` to `defineComponent`.
 */
export function defineRecipe(defaults: RecipeDefaults) {
  const fields = {
    /** Passes over the images: give these or `steps`. A fraction is rounded up to whole steps. */
    epochs: z.number().positive().optional(),
    /** Steps of the optimiser: give these or `epochs`. */
    steps: count.optional(),
    /** Images a step. */
    batchSize: count.default(defaults.batchSize),
    /** A divisor of `batchSize`. Absent: the whole batch is in memory at once. */
    microBatch: count.optional(),
    /** Peak of the cosine schedule. */
    learningRate: z.number().positive().default(defaults.learningRate),
    /** Where the cosine ends. */
    minLearningRate: z.number().nonnegative().optional(),
    /** Linear from 0 to the peak; in epochs where `epochs` is given, otherwise in steps. */
    warmup: z.number().nonnegative().optional(),
    /** Of Adam. */
    betas: constant(z.tuple([below1, below1])).default([0.9, 0.999]),
    /** Of AdamW; not of biases and others of one dimension. */
    weightDecay: z
      .number()
      .nonnegative()
      .default(defaults.weightDecay ?? 0),
    /** Gradients are scaled down to this global norm if it is exceeded; 0: never. */
    clipNorm: z
      .number()
      .nonnegative()
      .default(defaults.clipNorm ?? 0),
  };
  return {
    fields,
    derive: (config: Recipe) => derive(config, defaults),
    check: checkRecipe,
    length: lengthUnit,
  };
}

/** The field that says how long. */
export function lengthUnit({ epochs }: Pick<Recipe, 'epochs'>): LengthUnit {
  return epochs === undefined ? 'steps' : 'epochs';
}

/** Defaults that depend on other fields: a warm-up of at most a fifth of the length, a minimum below the peak. */
function derive(config: Recipe, defaults: RecipeDefaults): { readonly [field: string]: number } {
  const unit = lengthUnit(config);
  const length = config[unit] ?? defaults.steps;
  const most = defaults.warmup[unit];
  const fifth = unit === 'steps' ? Math.floor((length ?? 0) / 5) : (length ?? 0) / 5;
  return {
    ...(unit === 'steps' && length !== undefined ? { steps: length } : {}),
    ...(length === undefined ? {} : { warmup: Math.min(most, fifth) }),
    minLearningRate: Math.min(defaults.minLearningRate ?? 0, config.learningRate),
  };
}

/** Schedules that never come to their peak, batches that don't divide. */
export function checkRecipe(config: Recipe): ConfigIssue[] {
  const { warmup = 0, learningRate, minLearningRate = 0, batchSize, microBatch } = config;
  const issues: ConfigIssue[] = [];
  const unit = lengthUnit(config);
  const length = config[unit];
  // Without steps nothing is trained, and nothing is too long.
  if (length !== undefined && length > 0 && warmup > 0 && warmup >= length) {
    const hint = `raise \`${unit}\`, or leave \`warmup\` out for at most a fifth of them`;
    issues.push({ path: ['warmup'], message: `must be less than \`${unit}\`, ${length}`, hint });
  }
  if (unit === 'steps' && !Number.isInteger(warmup)) {
    issues.push({ path: ['warmup'], message: 'must be a whole number of steps' });
  }
  if (minLearningRate > learningRate) {
    const message = `must be at most \`learningRate\`, ${learningRate}`;
    issues.push({ path: ['minLearningRate'], message, hint: 'the rate falls from there' });
  }
  if (microBatch !== undefined && batchSize % microBatch !== 0) {
    issues.push({ path: ['microBatch'], message: `must divide \`batchSize\`, ${batchSize}` });
  }
  return issues;
}

/** For `smoke`: two steps of four images, in micro-batches if there were any, the first of them a warm-up if there was one. */
export function smokeRecipe(config: Recipe): SmokeChanges {
  const steps = Math.min(config.steps ?? 2, 2);
  const batchSize = Math.min(config.batchSize, 4);
  const isSplit = config.microBatch !== undefined && config.microBatch < config.batchSize;
  return {
    epochs: undefined,
    steps,
    batchSize,
    microBatch: isSplit ? (batchSize % 2 === 0 ? batchSize / 2 : 1) : undefined,
    warmup: (config.warmup ?? 0) > 0 && steps > 1 ? 1 : undefined,
  };
}

/** A recipe for so many images, in steps. */
export interface Plan {
  /** Of the whole training. */
  readonly steps: number;
  readonly warmup: number;
  /** Where this stage ends; less than `steps` in a rung of a halving. */
  readonly end: number;
  readonly microBatch: number;
  /** Micro-batches of a step. */
  readonly parts: number;
}

/**
 * @param images that are learnt from
 * @param until where a rung of a halving ends, in the unit of the length; absent: at the end
 */
export function planTraining(recipe: Recipe, images: number, until?: number): Plan {
  const unit = lengthUnit(recipe);
  const length = recipe[unit];
  if (length === undefined) throw new StageError('steps is missing', { hint: 'give `steps` or `epochs`' });
  const perEpoch = images / recipe.batchSize;
  const toSteps = (count: number) => countSteps(recipe, images, count);
  const steps = toSteps(length);
  const microBatch = recipe.microBatch ?? recipe.batchSize;
  return {
    steps,
    warmup: unit === 'steps' ? (recipe.warmup ?? 0) : Math.round((recipe.warmup ?? 0) * perEpoch),
    end: Math.min(until === undefined ? steps : toSteps(until), steps),
    microBatch,
    parts: recipe.batchSize / microBatch,
  };
}

/** So much of the training's length, in steps. A fraction is rounded up. */
export function countSteps(recipe: Recipe, images: number, length: number): number {
  if (lengthUnit(recipe) === 'steps') return length;
  // Not one more because of rounding: 0.1 epochs of 640 images in batches of 64 are 1 step.
  return Math.max(1, Math.ceil((length * images) / recipe.batchSize - 1e-9));
}
