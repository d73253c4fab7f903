import type * as tf from '@tensorflow/tfjs-core';
import { suggest } from '../../framework/stage/issues.ts';
import { StageError } from '../../framework/stage/stage-error.ts';
import { movingAverage } from '../engine/ema.ts';
import type { HostOf } from '../engine/types.ts';
import { type HostTree, leaves } from '../nn/tree.ts';
import { asScalar, valueAndGradients } from './gradients.ts';
import { adamw, initMoments, type Moments, type StepScalars } from './optimizer.ts';
import type { Recipe } from './recipe.ts';

/** Tensors by name. */
export type Named = { readonly [name: string]: tf.Tensor };

/** What a loss may look at beside the parameters. */
export interface Given<B, T, C, R> {
  readonly batch: B;
  readonly targets: T;
  readonly constants: C;
  readonly rest: R;
}

/** What an objective makes of a batch. */
export interface Losses<A> {
  /** The mean over the images of the batch: micro-batches are then parts of one batch. */
  readonly loss: tf.Scalar;
  /** What a reader should see of the step beside the loss; the mean over micro-batches. No gradient. */
  readonly shown?: { readonly [name: string]: tf.Scalar };
  /** What moves `rest`: sums over the images, so that those of micro-batches add up. No gradient. */
  readonly statistics?: A;
}

/** State that no gradient moves, such as a codebook of moving averages. */
export interface Rest<R, A> {
  init(): HostOf<R>;
  /** Statistics of no image: zeros in the form that `loss` gives. */
  none(): HostOf<A>;
  update(rest: R, statistics: A): R;
  /** What a reader should see of the statistics of a whole batch, whatever its micro-batches are. */
  shown?(statistics: A): { readonly [name: string]: tf.Scalar };
}

/**
 * The part of a training that depends on the model, as tfjs ops.
 *
 * P: parameters; B: the batch; T: targets; C: constants; R: state beside the parameters; A: statistics that move it.
 */
export interface Objective<P, B, T = undefined, C = Named, R = undefined, A extends Named = Named> {
  /** For messages: `vqvae training`. */
  readonly name: string;
  /** What to do where a number isn't finite, if there is more to say than that steps may be too large. */
  readonly advice?: string;
  init(): HostOf<P>;
  /** Weights of frozen networks. */
  readonly constants?: HostOf<C>;
  /** What the loss compares with: computed once a batch, without gradient. */
  targets?(batch: B, constants: C): T;
  loss(parameters: P, given: Given<B, T, C, R>): Losses<A>;
  readonly rest?: Rest<R, A>;
  /** Names of parameters that this model has where its config says so: `noDecay` may name them in any case. */
  readonly sometimes?: readonly string[];
  /** For layer-wise decay: how many layers come after that of a parameter. */
  layersAfter?(path: readonly string[]): number;
}

/** All that changes from step to step. */
export interface FitState<P, R = undefined> {
  readonly parameters: P;
  readonly moments: Moments<P>;
  readonly rest?: R;
  /** Moving average of the parameters. */
  readonly average?: P;
}

export interface Gradients<P, A> {
  readonly parameters: P;
  readonly statistics: A;
}

/** @throws StageError if `noDecay` names a parameter that there isn't: it would decay under its right name */
export function initialState<P, B, T, C, R, A extends Named>(
  objective: Objective<P, B, T, C, R, A>,
  { average, noDecay = [] }: Recipe,
): HostOf<FitState<P, R>> {
  const parameters = objective.init();
  const names = new Set(leaves(parameters as HostTree).map(({ path }) => path.at(-1) ?? ''));
  const unknown = noDecay.find((name) => !names.has(name) && !objective.sometimes?.includes(name));
  if (unknown !== undefined) {
    const hint = suggest(unknown, [...names]);
    throw new StageError(`noDecay: no parameter of ${objective.name} is named "${unknown}"`, {
      ...(hint === undefined ? {} : { hint }),
    });
  }
  return {
    parameters,
    moments: initMoments(parameters),
    ...(objective.rest ? { rest: objective.rest.init() } : {}),
    ...(average === undefined ? {} : { average: parameters }),
  } as unknown as HostOf<FitState<P, R>>;
}

/** Gradients of the mean loss of a batch, its statistics, and what is shown of it. */
export function gradientsOf<P, B, T, C, R, A extends Named>(objective: Objective<P, B, T, C, R, A>) {
  return (state: FitState<P, R>, batch: B, constants: C) => {
    const targets = objective.targets?.(batch, constants) as T;
    const given = { batch, targets, constants, rest: state.rest as R };
    const { loss, gradients, aux } = valueAndGradients(state.parameters, (parameters) => {
      const { loss, shown = {}, statistics = {} } = objective.loss(parameters, given);
      for (const [name, value] of Object.entries(shown)) asScalar(`${name} of \`shown\``, value);
      return { loss, aux: { ...prefixed('shown', shown), ...prefixed('statistics', statistics) } };
    });
    return {
      gradients: { parameters: gradients, statistics: below('statistics', aux) as A },
      out: { loss, ...below('shown', aux) },
    };
  };
}

/**
 * AdamW for the parameters, the objective's own way for the rest. Shows the norm of gradients where they are clipped, before
 * they are.
 */
export function updateOf<P, B, T, C, R, A extends Named>(
  { rest, layersAfter }: Objective<P, B, T, C, R, A>,
  { betas, weightDecay, clipNorm, noDecay, layerDecay = 1, average }: Recipe,
) {
  const scale =
    layersAfter && layerDecay !== 1 && ((path: readonly string[]) => layerDecay ** layersAfter(path));
  const options = {
    ...{ betas, weightDecay, clipNorm },
    ...(noDecay ? { noDecay } : {}),
    ...(scale ? { scale } : {}),
  };
  return (
    state: FitState<P, R>,
    { parameters, statistics }: Gradients<P, A>,
    scalars: StepScalars<tf.Tensor>,
  ) => {
    const updated = adamw(state.parameters, parameters, state.moments, scalars, options);
    const next: FitState<P, R> = {
      parameters: updated.parameters,
      moments: updated.moments,
      ...(rest ? { rest: rest.update(state.rest as R, statistics) } : {}),
      ...(average === undefined
        ? {}
        : { average: movingAverage(state.average as P, updated.parameters, average) }),
    };
    const out: Named = {
      ...rest?.shown?.(statistics),
      ...(clipNorm > 0 ? { gradientNorm: updated.gradientNorm } : {}),
    };
    return { state: next, out };
  };
}

/** What the program of a training without micro-batches gets. */
export interface FitBatch<B> {
  readonly batch: B;
  readonly stepScalars: StepScalars<tf.Tensor>;
}

/** Gradients and update in one. */
export function trainingStep<P, B, T, C, R, A extends Named>(
  objective: Objective<P, B, T, C, R, A>,
  recipe: Recipe,
) {
  const gradients = gradientsOf(objective);
  const update = updateOf(objective, recipe);
  return (state: FitState<P, R>, { batch, stepScalars }: FitBatch<B>, constants: C) => {
    const computed = gradients(state, batch, constants);
    const updated = update(state, computed.gradients, stepScalars);
    const out: Named = { ...computed.out, ...updated.out };
    return { state: updated.state, out };
  };
}

function prefixed(prefix: string, tensors: Named): Named {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [`${prefix}/${name}`, tensor]));
}

function below(prefix: string, tensors: Named): Named {
  const own = Object.entries(tensors).filter(([name]) => name.startsWith(`${prefix}/`));
  return Object.fromEntries(own.map(([name, tensor]) => [name.slice(prefix.length + 1), tensor]));
}
