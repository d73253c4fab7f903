import type { ConfigIssue } from '../../stage/component.ts';
import { suggest } from '../../stage/issues.ts';
import type { TokenizerMetric } from '../../stage/metric-names.ts';
import { halvedRole, type MeasuredTask, roles } from '../../stage/roles.ts';
import { problemsOf, type Sweep } from './sweep.ts';

export interface HalvingOptions<Metric extends string = string> {
  /** Name of a metric of the experiment's `evaluation`, such as `psnr`; the compiler refuses others where it offers names. */
  readonly metric: Metric;
  /** Default: `higher`. */
  readonly better?: 'higher' | 'lower';
  /** Points compete by the measures of their tokenizers: the only kind there is so far. */
  readonly task?: MeasuredTask;
  /**
   * Where points are compared, ascending, in steps, or in epochs if the training counts these; its end follows.
   * Or the first rung and the factor between rungs.
   */
  readonly rungs: readonly number[] | { readonly first: number; readonly eta: number };
  /** Share of the points of a rung that goes on, at least one of them; default 1 / eta. */
  readonly keep?: number;
  /** One of eta points goes on; default: the `eta` of `rungs`, or 3 where those are a list. */
  readonly eta?: number;
}

/**
 * Where a halving has the `file:` URL of the module that ranks the points of a rung. Under a symbol, since it is no field
 * that one could set, and depends on the machine. By name, since an experiment's bundle has a copy of this module.
 */
export const selectionModule = Symbol.for('peco-exp.selection');

/** A sweep whose points are trained rung by rung; after each, only the best go on. */
export interface Halving<Metric extends string = string> {
  readonly halving: HalvingOptions<Metric>;
  readonly points: Sweep;
  readonly [selectionModule]: string;
}

/**
 * Successive halving (Jamieson and Talwalkar 2016): trains all points a little, measures them, goes on with the best,
 * and so on. For fields of tokenizers; the points of each tokenizer compete among themselves, by the mean of the metric
 * over the seeds of the experiment. All seeds of a point go on, or none.
 */
export function successiveHalving<const Metric extends TokenizerMetric>(
  points: Sweep,
  options: HalvingOptions<Metric>,
): Halving<Metric> {
  return { halving: options, points, [selectionModule]: new URL('./selection.ts', import.meta.url).href };
}

export function isHalving(sweep: unknown): sweep is Halving {
  return typeof sweep === 'object' && sweep !== null && selectionModule in sweep;
}

/** The points of a sweep, halved or not. */
export function pointsOf(sweep: Sweep | Halving | undefined): Sweep {
  if (sweep === undefined) return [{}];
  return isHalving(sweep) ? sweep.points : sweep;
}

/** Steps of the rungs of a training of this length, the last being its end. */
export function rungsOf({ rungs }: HalvingOptions, steps: number): readonly number[] {
  if (isLadder(rungs)) {
    const early: number[] = [];
    for (let rung = rungs.first; rung < steps; rung = Math.ceil(rung * rungs.eta)) early.push(rung);
    return [...early, steps];
  }
  return rungs.at(-1) === steps ? rungs : [...rungs, steps];
}

/** Rungs of a ladder in a smoke run, before the end of the training. */
const shortLadder = 2;

/** Steps of a training in a smoke run whose rungs are those of `shortened`: one for each. */
export function rungsInSmoke({ rungs }: HalvingOptions, steps: number): number {
  if (isLadder(rungs)) return shortLadder + 1;
  return rungs.at(-1) === steps ? rungs.length : rungs.length + 1;
}

/** The same halving with a rung at each step, for trainings of very few. */
export function shortened(sweep: Halving): Halving {
  const { rungs, keep, eta } = sweep.halving;
  const count = isLadder(rungs) ? shortLadder : rungs.length;
  // The share that goes on is that of the ladder, unless it says another.
  const share = isLadder(rungs) && keep === undefined ? { eta: eta ?? rungs.eta } : {};
  return {
    ...sweep,
    halving: { ...sweep.halving, ...share, rungs: Array.from({ length: count }, (_, i) => i + 1) },
  };
}

/** How many of a rung's points go on. */
export function survivorsOf({ keep, eta, rungs }: HalvingOptions, points: number): number {
  const share = keep ?? 1 / (eta ?? (isLadder(rungs) ? rungs.eta : 3));
  // Not one less because of rounding: a third of 9 is 3.
  return Math.max(1, Math.floor(points * share + 1e-9));
}

const optionNames: readonly string[] = ['metric', 'better', 'task', 'rungs', 'keep', 'eta'];

/** What is wrong with a halving's options by themselves. */
export function checkHalving(sweep: Halving): ConfigIssue[] {
  const { halving, points } = sweep;
  if (!hasOptions(sweep))
    return [{ path: ['sweep'], message: 'successiveHalving: its second argument is an object of options' }];
  const strangers = [...strangersIn(sweep, ['halving', 'points']), ...strangersIn(halving, optionNames)];
  const { rungs, keep, eta, metric, better, task } = halving;
  const messages: string[] = [];
  if (typeof metric !== 'string' || metric === '') messages.push('`metric` names a metric of the evaluation');
  if (better !== undefined && better !== 'higher' && better !== 'lower')
    messages.push("`better` is 'higher' or 'lower'");
  const ranks = roles[roles[halvedRole()].rankedBy!].cells;
  if (task !== undefined && task !== ranks) messages.push(`\`task\` can only be '${ranks}'`);
  if (keep !== undefined && !(keep > 0 && keep < 1)) messages.push('`keep` is a share between 0 and 1');
  if (eta !== undefined && !(eta > 1)) messages.push('`eta` is a factor above 1');
  if (keep !== undefined && eta !== undefined) messages.push('give `keep` or `eta`, not both');
  if (!areRungs(rungs))
    messages.push('`rungs` are ascending whole numbers of steps, or { first, eta } with eta above 1');
  return [
    ...strangers,
    ...messages.map((message) => ({ path: ['sweep'], message: `successiveHalving: ${message}` })),
    ...problemsOf(points),
  ];
}

/** False where the options are none at all. */
export function hasOptions({ halving }: Halving): boolean {
  return typeof halving === 'object' && halving !== null;
}

function strangersIn(options: object, known: readonly string[]): ConfigIssue[] {
  const strangers = Object.keys(options).filter((name) => !known.includes(name));
  return strangers.map((name) => {
    const message = `successiveHalving: there is no option "${name}"`;
    return { path: ['sweep'], message, hint: suggest(name, known)! };
  });
}

function areRungs(rungs: HalvingOptions['rungs'] | undefined): boolean {
  if (typeof rungs !== 'object' || rungs === null) return false;
  if (isLadder(rungs)) return Number.isInteger(rungs.first) && rungs.first > 0 && rungs.eta > 1;
  return (
    rungs.length > 0 &&
    rungs.every((rung, index) => Number.isInteger(rung) && rung > (index === 0 ? 0 : rungs[index - 1]!))
  );
}

function isLadder(rungs: HalvingOptions['rungs']): rungs is { readonly first: number; readonly eta: number } {
  return !Array.isArray(rungs);
}
