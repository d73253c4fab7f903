import test from 'ava';
import fc from 'fast-check';
import { findStages } from '../../../framework/plan/named.ts';
import type { StageGraph, StageNode } from '../../../framework/plan/types.ts';
import { formatError } from '../../../framework/stage/errors.ts';
import { fake } from '../../support/typed-parts.ts';

/** A graph of stages that are nothing but their ids; `twin` is another name of a stage. */
function graphOf(ids: readonly string[], twins: { readonly [name: string]: string } = {}): StageGraph {
  const stages = ids.map((id): StageNode => ({ id, component: fake('report'), seed: 0, inputs: {} }));
  const aliases = Object.entries(twins).map(
    ([name, id]) => [name, stages.find((node) => node.id === id)!] as const,
  );
  return {
    experiment: 'e',
    changes: [],
    baseline: 'b',
    variants: [],
    stages,
    aliases: new Map(aliases),
    cells: [],
  };
}

const both = (name: string) => [`${name}/seed-0`, `${name}/seed-1`];
const graph = graphOf(
  [
    ...both('tokenizer/beit'),
    ...both('tokenizer/peco@size=6/rung-1'),
    ...both('tokenizer/peco@size=64/rung-1'),
    ...both('tokenizer/peco@size=64'),
    'tokenizer/fixed',
    ...both('pretraining/peco/base@size=64'),
    ...both('downstream/peco@size=64/probe'),
    'report',
  ],
  Object.fromEntries([0, 1].map((seed) => [`tokenizer/twin/seed-${seed}`, `tokenizer/beit/seed-${seed}`])),
);
const idsOf = (name: string) => findStages(graph, name).map(({ id }) => id);

test('an id means its stage, though it begins the ids of others', (t) => {
  t.deepEqual(idsOf('tokenizer/fixed'), ['tokenizer/fixed']);
  t.deepEqual(idsOf('report'), ['report']);
  t.deepEqual(idsOf('tokenizer/beit/seed-1'), ['tokenizer/beit/seed-1']);
});

test('a name without a seed means the stages of all seeds, and not the rungs before them', (t) => {
  t.deepEqual(idsOf('tokenizer/beit'), both('tokenizer/beit'));
  t.deepEqual(idsOf('tokenizer/peco@size=64'), both('tokenizer/peco@size=64'));
  t.deepEqual(idsOf('tokenizer/peco@size=64/rung-1'), both('tokenizer/peco@size=64/rung-1'));
});

test('a common front means all that it begins, and ends where a part of the name does', (t) => {
  t.deepEqual(idsOf('tokenizer/peco'), [
    ...both('tokenizer/peco@size=6/rung-1'),
    ...both('tokenizer/peco@size=64/rung-1'),
    ...both('tokenizer/peco@size=64'),
  ]);
  t.deepEqual(idsOf('tokenizer/peco@size=6'), both('tokenizer/peco@size=6/rung-1'));
  t.deepEqual(idsOf('downstream'), both('downstream/peco@size=64/probe'));
  t.throws(() => idsOf('tokenizer/pec'), { code: 'unknown-stage' } as never);
});

test('stars stand for characters within a part of the name, two of them across parts', (t) => {
  t.deepEqual(idsOf('tokenizer/be*'), both('tokenizer/beit'));
  t.deepEqual(idsOf('tokenizer/*'), [
    ...both('tokenizer/beit'),
    ...both('tokenizer/peco@size=64'),
    'tokenizer/fixed',
  ]);
  t.deepEqual(idsOf('**/seed-1').length, 6);
  t.deepEqual(idsOf('*/peco*/**/seed-1'), [
    'tokenizer/peco@size=6/rung-1/seed-1',
    'tokenizer/peco@size=64/rung-1/seed-1',
    'tokenizer/peco@size=64/seed-1',
    'pretraining/peco/base@size=64/seed-1',
    'downstream/peco@size=64/probe/seed-1',
  ]);
  t.deepEqual(idsOf('tokenizer/twi?'), both('tokenizer/beit'), 'another name');
  // As without a star, a front means what it begins where nothing is called so.
  t.deepEqual(idsOf('down*'), both('downstream/peco@size=64/probe'));
  t.deepEqual(idsOf('tokenizer/peco@size=?'), both('tokenizer/peco@size=6/rung-1'));
  t.throws(() => idsOf('tokenizer/x*'), { message: /no stage "tokenizer\/x\*"/ });
});

test('patterns mean what regular expressions would, without their time where stars are many', (t) => {
  const expressions = { '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]' };
  const text = (parts: readonly string[]) =>
    fc.array(fc.constantFrom(...parts), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(
      text(['a', 'b', '/', '@']),
      text(['a', 'b', '/', '@', '*', '**', '**/', '?']),
      (id, pattern) => {
        const name = `**${pattern.join('')}`;
        const source = name.replaceAll(/\*\*\/?|[*?]/g, (part) => expressions[part as '*']);
        const isMeant = new RegExp(`^${source}(?:[/@]|$)`).test(id.join(''));
        const found = () => findStages(graphOf([id.join('')]), name).length;
        if (isMeant) t.is(found(), 1);
        else t.throws(found, { code: 'unknown-stage' } as never);
      },
    ),
  );
  const long = graphOf([`tokenizer/${'x'.repeat(300)}`]);
  t.throws(() => findStages(long, `**/${'*x'.repeat(40)}*y`), { code: 'unknown-stage' } as never);
});

test('another name of a stage has fronts too', (t) => {
  t.deepEqual(idsOf('tokenizer/twin'), both('tokenizer/beit'));
  t.deepEqual(idsOf('tokenizer/twin/seed-1'), ['tokenizer/beit/seed-1']);
});

test('a name that means nothing is answered with names, without seeds unless it has one', (t) => {
  for (const name of ['tokenizer/biet', 'tokenizer/beit/seed-2', '', 'tokenizer/', 'Report'])
    t.snapshot(formatError(t.throws(() => idsOf(name))!), name === '' ? '(empty)' : name);
});
