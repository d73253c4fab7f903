import type { Component } from '../../stage/component.ts';
import { suggest, valueAt } from '../../stage/issues.ts';
import { halvedRole, placeOf, roles } from '../../stage/roles.ts';
import type { Problem } from '../problem.ts';
import { get } from '../tree.ts';
import type { Experiment } from '../types.ts';
import { type HalvingOptions, hasOptions, isHalving, rungsOf } from './halving.ts';

/**
 * Why an experiment's points can't be halved.
 *
 * @param paths the swept fields that exist
 */
export function halvingProblems(experiment: Experiment, paths: ReadonlySet<string>): Problem[] {
  const { sweep } = experiment;
  if (!isHalving(sweep) || !hasOptions(sweep)) return [];
  const role = halvedRole();
  const measure = roles[role].rankedBy!;
  const { group } = roles[measure].declared!;
  const problems: Problem[] = [];
  const complain = (message: string, hint?: string) => void problems.push(refusal(message, hint));
  const evaluation = get(experiment, [group]) as Component | undefined;
  if (!evaluation) complain(`there is no \`${group}\` that could measure the points`);
  problems.push(...metricProblems(evaluation, sweep.halving.metric));
  const components = new Set<string>();
  for (const path of paths) {
    const field = path.split('.');
    const place = placeOf(field);
    if (place?.role === role) components.add(field.slice(0, place.depth).join('.'));
    else
      complain(`${path} is not a field of a ${role}`, 'sweep other fields by product, zip, chain or random');
  }
  for (const path of components) {
    const { problem, steps, unit } = findSteps(experiment, path, paths);
    if (problem) problems.push(problem);
    else if (steps !== undefined && experiment.issues.length === 0) {
      const last = lastRungBeyond(sweep.halving, steps);
      if (last !== undefined) complain(`the rung ${last} is beyond the ${steps} ${unit} of ${path}`);
    }
  }
  return problems;
}

/** The steps of a component's training, or why its points can't be compared on the way. */
function findSteps(
  experiment: Experiment,
  path: string,
  swept: ReadonlySet<string>,
): { readonly problem?: Problem; readonly steps?: number; readonly unit?: string } {
  const component = get(experiment, path.split('.')) as Component;
  // The config of a component with problems isn't complete; its problems are reported instead.
  if (component.issues.length > 0) return {};
  const field = component.steps;
  const steps = field === undefined ? undefined : valueAt(component.config, field.split('.'));
  if (typeof steps !== 'number') {
    const message = `the ${component.role} "${component.kind}" doesn't say which field counts its steps`;
    return { problem: refusal(message, 'give `steps` to its defineComponent') };
  }
  // Rungs count what it counts: `steps`, or `epochs` where its config says these.
  const unit = field!.split('.').at(-1)!;
  if (!swept.has(`${path}.${field}`)) return { steps, unit };
  return { problem: refusal(`${path}.${field} can't be swept: rungs are ${unit} of one schedule`) };
}

function lastRungBeyond(options: HalvingOptions, steps: number): number | undefined {
  return rungsOf(options, steps).findLast((rung) => rung > steps);
}

/** An evaluation that doesn't say what it measures is believed. */
function metricProblems(evaluation: Component | undefined, metric: string): Problem[] {
  const offers = evaluation?.offers;
  // `checkHalving` reports a metric that isn't a name.
  if (offers === undefined || typeof metric !== 'string' || metric === '' || offers.includes(metric))
    return [];
  const { role, kind } = evaluation!;
  const written = ['sweep', 'metric', metric];
  return [
    { ...refusal(`the ${role} "${kind}" has no metric "${metric}"`, suggest(metric, offers)), written },
  ];
}

function refusal(message: string, hint?: string): Problem {
  return {
    path: ['sweep'],
    message: `successiveHalving: ${message}`,
    ...(hint === undefined ? {} : { hint }),
  };
}
