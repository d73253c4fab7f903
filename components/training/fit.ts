import * as tf from '@tensorflow/tfjs-core';
import { type Accumulating, accumulate, accumulating } from '../engine/accumulate.ts';
import type { Engine, HostOf, HostTensor, Program, SpecOf, State, TensorSpec } from '../engine/types.ts';
import { type HostTree, hostScalar, mapTree } from '../nn/tree.ts';
import { type TrainingContext, train } from './loop.ts';
import {
  type FitBatch,
  type FitState,
  type Gradients,
  gradientsOf,
  initialState,
  type Named,
  type Objective,
  trainingStep,
  updateOf,
} from './objective.ts';
import type { StepScalars } from './optimizer.ts';
import { countSteps, type Plan, planTraining, type Recipe } from './recipe.ts';
import { learningRateAt, stepScalars } from './schedule.ts';
import { type Chosen, type Selection, selecting } from './select.ts';
import { Waiting } from './waiting.ts';

/** Which part of which batch. */
export interface MicroBatch {
  /** 0-based. */
  readonly step: number;
  /** Which of the micro-batches of the step; 0 where there is one. */
  readonly part: number;
  /** How many micro-batches come before it, all steps together: what a loader of micro-batches is asked for. */
  readonly index: number;
  /** How many images of the batch come before it. */
  readonly first: number;
}

/** Where batches come from. */
export interface Batches<B> {
  /** Called once, when no more batches are needed. */
  close?(): Promise<void>;
  /**
   * A pure function of its argument, so that a resumed training sees the same. Micro-batches must have what the batch
   * would have: then the training is the same, up to rounding.
   */
  batch(which: MicroBatch): HostOf<B> | Promise<HostOf<B>>;
}

/** What a training needs beside its objective. */
export interface FitOptions<B, P = unknown, R = undefined> {
  readonly recipe: Recipe;
  /** How many images there are to learn from. */
  readonly images: number;
  /** Opens the batches of a training that is planned. */
  batches(plan: Plan): Batches<B>;
  /** A line of history each so many steps, and at the last: means since the line before, and the learning rate. */
  readonly logEvery?: number;
  /** For the rate; absent: the batch size. */
  readonly imagesPerStep?: number;
  /**
   * Called once, before the very first step: what a training that resumes has already. Gives the state that no gradient
   * moves, where it depends on images. A pure function of what it gets, so that an interrupted training may call it again.
   */
  readonly begin?: (given: Beginning<P, B>) => Promise<HostOf<R>>;
  /** Hands over the weights with the best score instead of the last ones. See `checkpointSchema`. */
  readonly select?: Selection<P, R> | undefined;
}

/** What there is before the first step. */
export interface Beginning<P, B> {
  readonly parameters: HostOf<P>;
  readonly plan: Plan;
  batch(index: MicroBatch['index']): Promise<HostOf<B>>;
}

/** What a training has made. */
export interface Fitted<P, R> {
  /**
   * The moving average of the parameters where the recipe has one, otherwise the parameters: after the last step, or
   * where `select` found them best.
   */
  readonly parameters: HostOf<P>;
  readonly rest: HostOf<R>;
  /** What the last step showed. */
  readonly last: { readonly [name: string]: number };
  readonly plan: Plan;
  /** Absent without `select`. */
  readonly chosen?: Chosen;
}

/**
 * Trains: state, moments, schedule, clipping, averaging, micro-batches, checkpoints. Use it once a stage.
 *
 * A step of several micro-batches is that of the whole batch up to rounding if the loss is a mean over images and
 * statistics are sums; what is no such mean, as the entropy of a batch's mean posterior or a mean over masked tokens whose
 * number varies, is that of the micro-batches, averaged. What is saved is the state between two steps, so a checkpoint
 * has no part of a step.
 */
export async function fit<P, B, T, C, R, A extends Named>(
  context: TrainingContext,
  engine: Engine,
  objective: Objective<P, B, T, C, R, A>,
  { recipe, images, batches, logEvery, imagesPerStep, begin, select }: FitOptions<B, P, R>,
): Promise<Fitted<P, R>> {
  const plan = planTraining(recipe, images, context.until);
  const opened = batches(plan);
  const waiting = new Waiting();
  const remembered = remembering(opened, waiting);
  const given: Setting<P, B, T, C, R, A> = { engine, objective, recipe, plan, batches: remembered };
  const steps = plan.parts === 1 ? wholeSteps(given) : partedSteps(given, context.signal);
  const selected =
    select &&
    selecting<P, R>(context, steps.state, { ...select, every: countSteps(recipe, images, select.every) });
  const state = selected?.state ?? steps.state;
  const run = async (step: number) =>
    !selected || (await selected.before(step)) ? steps.run(step) : undefined;
  const prepare = async (step: number) => {
    if (step === 0 && begin) {
      const first = state.read();
      const { parameters } = first as { parameters: HostOf<P> };
      const batch = (index: number) => remembered.batch(microBatchAt(index, plan));
      state.write({ ...first, rest: await begin({ parameters, plan, batch }) });
    }
    await steps.prepare(step);
    waiting.begin();
  };
  try {
    const last = await train(context, {
      ...{ prepare, run, look: steps.look, state, waiting },
      ...(logEvery === undefined ? {} : { logEvery }),
      ...(objective.advice === undefined ? {} : { advice: objective.advice }),
      ...{ steps: plan.steps, end: plan.end, batchSize: imagesPerStep ?? recipe.batchSize },
      scheduled: (step) => ({ learningRate: rateAt(step, recipe, plan) }),
    });
    if (selected) return { ...(await selected.end(plan.end)), last, plan };
    const { parameters, average, rest } = state.read() as Partial<Record<keyof FitState<P>, unknown>>;
    return { parameters: (average ?? parameters) as HostOf<P>, rest: rest as HostOf<R>, last, plan };
  } finally {
    steps.dispose();
    await opened.close?.();
  }
}

interface Setting<P, B, T, C, R, A extends Named> {
  readonly engine: Engine;
  readonly objective: Objective<P, B, T, C, R, A>;
  readonly recipe: Recipe;
  readonly plan: Plan;
  readonly batches: Remembering<B>;
}

/** What `train` needs, and an end. */
interface Steps<S> {
  readonly state: Pick<State<S>, 'read' | 'write'>;
  prepare(step: number): Promise<void>;
  run(step: number): Promise<unknown>;
  look(): Promise<unknown>;
  dispose(): void;
}

/** One program does all of a step. */
function wholeSteps<P, B, T, C, R, A extends Named>({
  engine,
  objective,
  recipe,
  plan,
  batches,
}: Setting<P, B, T, C, R, A>): Steps<FitState<P, R>> {
  const state = engine.state<FitState<P, R>>(initialState(objective, recipe));
  let program: Program<FitBatch<B>, Named> | undefined;
  const compute = async (step: number, batch: HostOf<B>) =>
    program!.run({ batch, stepScalars: scalarsAt(step, recipe, plan) } as HostOf<FitBatch<B>>);
  return {
    state,
    async prepare(step) {
      const batch = await batches.first(step, plan);
      program = await engine.compile<FitState<P, R>, FitBatch<B>, Named, C>({
        name: objective.name,
        state,
        step: trainingStep(objective, recipe),
        batch: specOf<FitBatch<B>>({ batch, stepScalars: scalarsAt(0, recipe, plan) }),
        ...constantsOf(objective),
      });
    },
    run: async (step) => compute(step, await batches.batch(whichOf(step, 0, plan))),
    look: async () => compute(plan.end - 1, batches.last()),
    dispose() {
      program?.dispose();
      state.dispose();
    },
  };
}

/** One program adds the gradients of a micro-batch, another uses their mean. */
function partedSteps<P, B, T, C, R, A extends Named>(
  { engine, objective, recipe, plan, batches }: Setting<P, B, T, C, R, A>,
  signal: AbortSignal,
): Steps<FitState<P, R>> {
  type All = Accumulating<FitState<P, R>, Gradients<P, A>>;
  const initial = initialState(objective, recipe);
  const { parameters } = initial as unknown as { parameters: HostOf<P> };
  const form = { parameters, statistics: objective.rest?.none() ?? {} } as HostOf<Gradients<P, A>>;
  const state = engine.state<All>(accumulating(initial, form));
  const programs = accumulate({
    gradients: gradientsOf(objective),
    update: scaledUpdate(objective, recipe, plan),
  });
  let add: Program<B, Named> | undefined;
  let update: Program<StepScalars<tf.Tensor>, Named> | undefined;
  return {
    state: {
      // Between two steps the sums are zeros.
      read: () => (state.read() as unknown as { carried: HostOf<FitState<P, R>> }).carried,
      write: (carried) => state.write(accumulating(carried, form)),
    },
    async prepare(step) {
      const batch = specOf<B>(await batches.first(step, plan));
      const constants = constantsOf(objective);
      const { name } = objective;
      add = await engine.compile<All, B, Named, C>({
        ...{ name: `${name} (micro-batch)`, state, step: programs.add, batch, ...constants },
      });
      update = await engine.compile<All, StepScalars<tf.Tensor>, Named, C>({
        ...{ name: `${name} (update)`, state, step: programs.update },
        batch: specOf<StepScalars<tf.Tensor>>(scalarsAt(0, recipe, plan)),
      });
    },
    async run(step) {
      const outs: HostOf<Named>[] = [];
      for (let part = 0; part < plan.parts; part++) {
        if (signal.aborted) return undefined;
        outs.push(await add!.run(await batches.batch(whichOf(step, part, plan))));
      }
      const updated = await update!.run(scalarsAt(step, recipe, plan));
      return { ...meansOf(outs), ...updated };
    },
    look: () => add!.run(batches.last()),
    dispose() {
      add?.dispose();
      update?.dispose();
      state.dispose();
    },
  };
}

/** Gets the mean of the statistics, which are sums: makes them those of the batch again. */
function scaledUpdate<P, B, T, C, R, A extends Named>(
  objective: Objective<P, B, T, C, R, A>,
  recipe: Recipe,
  { parts }: Plan,
) {
  const update = updateOf(objective, recipe);
  return (
    state: FitState<P, R>,
    { parameters, statistics }: Gradients<P, A>,
    scalars: StepScalars<tf.Tensor>,
  ) => {
    const sums = Object.fromEntries(Object.entries(statistics).map(([name, x]) => [name, tf.mul(x, parts)]));
    return update(state, { parameters, statistics: sums as A }, scalars);
  };
}

/** Keeps the last batch, for the look at the end, and one that was asked for early. */
interface Remembering<B> {
  batch(which: MicroBatch): Promise<HostOf<B>>;
  /** That of the first step to compute; of the last one where none is left. */
  first(step: number, plan: Plan): Promise<HostOf<B>>;
  last(): HostOf<B>;
}

function remembering<B>(batches: Batches<B>, waiting: Waiting): Remembering<B> {
  let kept: { readonly index: number; readonly batch: HostOf<B> } | undefined;
  const batch = async (which: MicroBatch) => {
    if (kept?.index !== which.index)
      kept = { index: which.index, batch: await waiting.for(() => batches.batch(which)) };
    return kept.batch;
  };
  return {
    batch,
    first: (step, plan) => batch(whichOf(Math.min(step, plan.end - 1), 0, plan)),
    last: () => kept!.batch,
  };
}

function whichOf(step: number, part: number, { parts, microBatch }: Plan): MicroBatch {
  return { step, part, index: step * parts + part, first: part * microBatch };
}

function microBatchAt(index: number, plan: Plan): MicroBatch {
  return whichOf(Math.floor(index / plan.parts), index % plan.parts, plan);
}

function scalarsAt(step: number, recipe: Recipe, plan: Plan): StepScalars<HostTensor> {
  return stepScalars(step, rateAt(step, recipe, plan), recipe.betas);
}

function rateAt(step: number, recipe: Recipe, { steps, warmup }: Plan): number {
  return learningRateAt(recipe, { step, steps, warmup });
}

function constantsOf<C>({ constants }: { readonly constants?: HostOf<C> }) {
  return constants === undefined ? {} : { constants };
}

function specOf<B>(batch: unknown): SpecOf<B> {
  return mapTree<HostTensor, TensorSpec>(batch as HostTree, ({ shape, dtype }) => ({
    shape,
    dtype,
  })) as SpecOf<B>;
}

function meansOf(outs: readonly HostOf<Named>[]): { readonly [name: string]: HostTensor } {
  const mean = (name: string) => outs.reduce((sum, out) => sum + Number(out[name].data[0]), 0) / outs.length;
  return Object.fromEntries(Object.keys(outs[0]).map((name) => [name, hostScalar(mean(name))]));
}
