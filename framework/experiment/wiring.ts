import type { Component } from '../stage/component.ts';
import type { Problem } from './problems.ts';
import { isOverridden } from './problems.ts';
import type { Experiment, Override } from './types.ts';
import { listVariants, type Variant } from './variants.ts';

/** A component of a row, where it is declared, and what the framework wires to it. */
interface Wired {
  readonly path: readonly string[];
  readonly component: Component;
  readonly inputs: { readonly [name: string]: Component | undefined };
}

/**
 * What the components of a valid experiment expect of each other and don't find, in the order of the table: told
 * before anything runs, although each of them is right by itself. A fact that nobody provides is left to the stage.
 */
export function wiringProblems(experiment: Experiment, overrides: readonly Override[]): Problem[] {
  const found = new Map<string, Problem>();
  for (const variant of listVariants(experiment)) {
    for (const { path, component, inputs } of wiredIn(variant)) {
      for (const { input, fact, value, is, field, hint } of component.expects ?? []) {
        const provided = inputs[input]?.provides?.[fact];
        if (provided === undefined || provided === value) continue;
        if (is === 'at least' && Number(provided) >= Number(value)) continue;
        const most = is === 'at least' ? 'at most ' : '';
        const problem: Problem = {
          path: [...path, ...field],
          message: `expected ${most}${String(provided)}, the ${fact} of ${nameInput(variant, input)}`,
          value,
          ...(hint === undefined ? {} : { hint }),
        };
        const where = problem.path.join('.');
        // One of the rows is enough to see it.
        if (found.has(where)) continue;
        found.set(where, isOverridden(problem, overrides) ? { ...problem, origin: 'set' } : problem);
      }
    }
  }
  return [...found.values()];
}

function nameInput({ name, fields, tokenizer, pretraining }: Variant, input: string): string {
  if (input === 'train' || input === 'test') return `data.${input}`;
  const row = fields.length === 0 ? '' : ` in the row ${name}`;
  const named =
    input === 'tokenizer' ? `tokenizer "${tokenizer?.name}"` : `pretraining "${pretraining?.name}"`;
  return `the ${named}${row}`;
}

function wiredIn({ tokenizer, pretraining, data, evaluation, downstream }: Variant): Wired[] {
  const { train, test } = data;
  const list: Wired[] = [];
  if (tokenizer)
    list.push({
      path: ['tokenizers', tokenizer.name],
      component: tokenizer.component,
      inputs: { train },
    });
  if (evaluation)
    list.push({
      path: ['evaluation'],
      component: evaluation,
      inputs: { train, test, tokenizer: tokenizer?.component },
    });
  if (pretraining)
    list.push({
      path: ['pretraining', pretraining.name],
      component: pretraining.component,
      inputs: { train, tokenizer: tokenizer?.component },
    });
  const tasks = pretraining ? ['downstream'] : ['scratch', 'downstream'];
  for (const [task, component] of Object.entries(downstream)) {
    if (component)
      list.push({
        path: [...tasks, task],
        component,
        inputs: { train, test, pretrained: pretraining?.component },
      });
  }
  return list;
}
