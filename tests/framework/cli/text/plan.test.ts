import { stripVTControlCharacters } from 'node:util';
import test from 'ava';
import { formatCount } from '../../../../framework/cli/text/costs.ts';
import { formatLong } from '../../../../framework/cli/text/format.ts';
import { formatPlan, type PlanView } from '../../../../framework/cli/text/plan.ts';
import { estimatePlan } from '../../../../framework/plan/estimate.ts';
import type { Plan } from '../../../../framework/plan/plan.ts';
import { findRoots } from '../../../../framework/plan/roots.ts';
import type { StageNode, StageStatus } from '../../../../framework/plan/types.ts';
import { upstreamStages } from '../../../../framework/plan/walk.ts';
import type { Costs } from '../../../../framework/stage/costs.ts';
import { PecoError } from '../../../../framework/stage/errors.ts';

const speed = {
  dense: [{ image: 1e9, perSecond: 84e9 }],
  conv: [{ image: 1e9, perSecond: 50e9 }],
};

const tokenizer: Costs = { parameters: 71.9e6, flops: { conv: 838e9 }, images: 128e6, memory: 15e9 };
const pretraining: Costs = { parameters: 91_965_776, flops: { dense: 108e9 }, images: 1.02e9, memory: 15e9 };

/** As much of a plan as is shown: two seeds of three rows, and a stage that says nothing of what it computes. */
function sketch(status: StageStatus, reason: string, images = true): Plan {
  const stages: { node: StageNode; status: StageStatus; reason: string; fingerprint: object }[] = [];
  const add = (id: string, kind: string, needs: readonly StageNode[], costs?: Costs): StageNode => {
    const { images: _unknown, ...rest } = costs ?? {};
    const own = images ? costs : rest;
    const [role] = id.split('/');
    const component = { role, kind, config: {}, ...(costs ? { costs: () => own } : {}) };
    const inputs = Object.fromEntries(needs.map((stage, index) => [index, { type: 'stage', stage }]));
    const node = { id, component, inputs } as unknown as StageNode;
    stages.push({ node, status, reason, fingerprint: { kind: `${role}/${kind}` } });
    return node;
  };
  const all = [0, 1].flatMap((seed) =>
    ['beit', 'pixel', 'peco'].map((row) => {
      const made = add(`tokenizer/${row}/seed-${seed}`, 'vqvae', [], tokenizer);
      return add(`pretraining/${row}/base/seed-${seed}`, 'masked-image-modelling', [made], pretraining);
    }),
  );
  add('evaluation/peco@codebook.size=8192,codebook.dim=256/seed-0', 'measures', all.slice(0, 2));
  return { graph: { experiment: 'vitb-800ep' }, stages } as unknown as Plan;
}

function shown(plan: Plan, more: Partial<PlanView> = {}): string {
  const measured = { engine: 'onnx', threads: 1, speed };
  const estimate = estimatePlan(plan, [], { jobs: 2, engine: 'onnx', speed });
  return `\n${formatPlan({ plan, estimate, jobs: 2, measured, ...more }).join('\n')}\n`;
}

test('a plan that would take years says so, as wide as it is', (t) => {
  t.snapshot(shown(sketch('run', 'no stored result')));
});

for (const columns of [80, 120]) {
  test(`no line of a plan is wider than a terminal of ${columns} columns`, (t) => {
    const text = shown(sketch('maybe', 'depends on tokenizer/peco@codebook.size=8192/seed-1'), {
      look: { columns, unicode: true, colour: false },
    });
    t.snapshot(text);
    const stages = text.split('\n');
    t.deepEqual(
      stages.filter((line) => line.length > columns),
      [],
    );
  });
}

test('what is stored is folded, and each rerun has its root, in colours that a terminal has', (t) => {
  const plan = sketch('hit', 'stored');
  const stages = plan.stages.map((stage) => {
    const { id } = stage.node;
    if (id === 'tokenizer/peco/seed-0')
      return { ...stage, status: 'run', reason: 'no stored result' } as const;
    if (!id.startsWith('pretraining/peco/base/seed-0')) return stage;
    const [pending] = upstreamStages(stage.node);
    return { ...stage, status: 'maybe', reason: `depends on ${pending!.id}`, pending: pending! } as const;
  });
  const changed = { ...plan, stages };
  const { roots, rootOf } = findRoots(changed);
  t.deepEqual(
    roots.map((root) => [root.stages.map(({ node }) => node.id), root.followers]),
    [[['tokenizer/peco/seed-0'], 1]],
  );
  const causes = new Map([[roots[0]!.stages[0]!.node, 'codebook.size: 256 -> 512']]);
  const look = { columns: 80, unicode: true, colour: false };
  t.snapshot(shown(changed, { rootOf, causes, look }));
  const coloured = shown(changed, { rootOf, causes, look: { ...look, colour: true } });
  t.true(coloured.includes('\x1b[33mrun\x1b[39m') && coloured.includes('\x1b[32mstored\x1b[39m'));
  t.is(stripVTControlCharacters(coloured), shown(changed, { rootOf, causes, look }));
  const every = shown(changed, { rootOf, causes, verbose: true }).match(/^ {2}(hit|run|maybe) /gm);
  t.is(every?.length, 13);
});

test('without data the images are unknown, and so is how long it takes; what is missing comes last', (t) => {
  const missing = [
    new PecoError('data.train.root: the environment variable IMAGENET is not set', {
      code: 'invalid-config',
      hint: 'set it before the command: IMAGENET=... peco-exp run ...\nexpected there:\n  train/<class>/*.JPEG',
      location: { file: 'experiments/vitb-800ep.ts', line: 31, column: 3 },
    }),
  ];
  t.snapshot(shown(sketch('unknown', 'train is missing', false), { missing }));
});

test('what takes more memory than there is is named', (t) => {
  const text = shown(sketch('run', 'no stored result'), { memory: 10e9 });
  t.deepEqual(
    text.split('\n').filter((line) => line.includes('of memory')),
    [
      'tokenizer/* takes about 15 GB of memory, more than the 10 GB for stages here',
      'pretraining/*/base takes about 15 GB of memory, more than the 10 GB for stages here',
    ],
  );
});

test('numbers have three digits and a prefix', (t) => {
  t.deepEqual([0, 740, 999.6, 12_345, 91_965_776, 9.996e9, 1.02e18].map(formatCount), [
    '0',
    '740',
    '1.00 k',
    '12.3 k',
    '92.0 M',
    '10.0 G',
    '1.02 E',
  ]);
});

test('what takes longer than two days is given in days, then in years', (t) => {
  const day = 24 * 3600;
  t.deepEqual([90, 47 * 3600, 2 * day, 100.4 * day, 400 * day, 22.3 * 365.25 * day].map(formatLong), [
    '1:30',
    '47:00:00',
    '2 days',
    '100 days',
    '1.1 years',
    '22 years',
  ]);
});
