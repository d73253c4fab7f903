import test from 'ava';
import type { Ranking } from '../../../framework/experiment/changes/selection.ts';
import { describeDrop, fateOf, type Loss } from '../../../framework/plan/fate.ts';
import type { After, StageEdge, StageNode } from '../../../framework/plan/types.ts';
import type { Role } from '../../../framework/stage/component.ts';

function stage(id: string, inputs: { readonly [name: string]: StageNode } = {}, after?: After): StageNode {
  const [role, config] = [id.split('/')[0] as Role, { name: id }];
  const edges = Object.entries(inputs).map(([name, node]): [string, StageEdge] => [
    name,
    { type: 'stage', stage: node },
  ]);
  return {
    id,
    component: { role, kind: 'fake', config, implementation: {}, inputs: {}, files: {}, issues: [] },
    seed: 0,
    inputs: Object.fromEntries(edges),
    ...(after ? { after } : {}),
  };
}

/** Three points of two seeds at the end of a rung, and the next training of each. */
function createRung() {
  const trained = [0, 1, 2].map((point) => [0, 1].map((seed) => stage(`tokenizer/${point}/${seed}`)));
  const measured = trained.map((seeds) =>
    seeds.map((tokenizer) => stage(tokenizer.id.replace('tokenizer', 'evaluation'), { tokenizer })),
  );
  const inputs = measured.flatMap((seeds, point) => seeds.map((node, seed) => [`${point}/${seed}`, node]));
  const selection = {
    ...stage('selection/1', Object.fromEntries(inputs)),
    rung: { number: 1, of: 3, points: 3, survivors: 1 },
  };
  const next = trained.map((seeds, point) =>
    seeds.map((previous) => stage(`${previous.id}/next`, {}, { previous, selection, point })),
  );
  return { trained, measured, selection, next };
}

function judge(node: StageNode, losses: readonly [StageNode, Loss][] = [], ranking?: Ranking) {
  const known = new Map(losses);
  return fateOf(node, { lossOf: (one) => known.get(one), rankingOf: () => ranking });
}

const ranking: Ranking = {
  metric: 'psnr',
  better: 'higher',
  survivors: 1,
  places: [
    { point: 2, rank: 1, survives: true, score: 30, seeds: 2 },
    { point: 0, rank: 2, survives: false, score: 20, seeds: 2 },
    { point: 1, rank: 3, survives: false, seeds: 2 },
  ],
};
const drop = { rung: 1, rungs: 3, metric: 'psnr', survivors: 1, among: 3, rank: 2, score: 20, seeds: 2 };

test('a stage runs as it is if nothing that it needs is lost', (t) => {
  const { measured, selection, next } = createRung();
  for (const node of [measured[0]![0]!, selection, next[0]![0]!]) t.deepEqual(judge(node), { node });
});

test('a stage is lost with the first stage that it needs', (t) => {
  const { trained, measured } = createRung();
  const loss = { at: stage('network/vgg') };
  t.deepEqual(judge(measured[0]![0]!, [[trained[0]![0]!, loss]]), { loss });
});

test('of a ranking the survivors go on, and the others are dropped', (t) => {
  const { next } = createRung();
  t.deepEqual(judge(next[2]![1]!, [], ranking), { node: next[2]![1]! });
  t.deepEqual(judge(next[0]![1]!, [], ranking), { loss: { at: next[0]![1]!, drop } });
});

test('what depends on a dropped stage is dropped for the same reason', (t) => {
  const { next } = createRung();
  const loss = { at: next[0]![1]!, drop };
  const pretraining = stage('pretraining/0', { tokenizer: next[0]![1]! });
  t.deepEqual(judge(pretraining, [[next[0]![1]!, loss]]), { loss });
});

test('a point of which an evaluation failed does not go on by any seed, because of that evaluation', (t) => {
  const { measured, next } = createRung();
  const loss = { at: measured[1]![1]! };
  t.deepEqual(judge(next[1]![0]!, [[measured[1]![1]!, loss]], ranking), { loss });
});

test('no point goes on after a selection that failed', (t) => {
  const { selection, next } = createRung();
  t.deepEqual(judge(next[2]![0]!, [[selection, { at: selection }]]), { loss: { at: selection } });
});

test('a selection runs without what was dropped before, and lists what failed', (t) => {
  const { measured, selection } = createRung();
  const [dropped, failed] = [measured[0]!, measured[1]![1]!];
  const losses: [StageNode, Loss][] = [
    ...dropped.map((node): [StageNode, Loss] => [node, { at: node, drop }]),
    [failed, { at: failed }],
  ];
  const fate = judge(selection, losses);
  const made = 'node' in fate ? fate.node : undefined;
  t.deepEqual(Object.keys(made?.inputs ?? {}), ['1/0', '2/0', '2/1']);
  t.deepEqual(made?.component.config, { ...selection.component.config, failed: ['1/1'] });
  t.is(Object.keys(selection.inputs).length, 6, 'the stage itself is not changed');
});

test('a selection does not compare a point again that failed in a rung before', (t) => {
  const { trained, measured, selection: previous } = createRung();
  const again = { ...previous, rung: { number: 2, of: 3, points: 1, survivors: 1, previous } };
  const [early, late] = [measured[1]!, measured[2]![1]!];
  const losses: [StageNode, Loss][] = [
    ...early.map((node): [StageNode, Loss] => [node, { at: trained[1]![0]! }]),
    [late, { at: late }],
  ];
  const fate = judge(again, losses, ranking);
  const made = 'node' in fate ? fate.node : undefined;
  t.deepEqual(made?.component.config, { ...previous.component.config, failed: ['2/1'] });
});

test('a selection of which every input is lost is lost itself', (t) => {
  const { measured, selection } = createRung();
  const losses = measured.flat().map((node): [StageNode, Loss] => [node, { at: node }]);
  t.deepEqual(judge(selection, losses), { loss: { at: measured[0]![0]! } });
});

test('what is said of a dropped point', (t) => {
  const { score: _score, ...unmeasured } = drop;
  t.deepEqual(
    [
      drop,
      unmeasured,
      { rung: 2, rungs: 3, metric: 'fid', survivors: 30, among: 100, rank: 42, score: 1.23456 },
    ].map(describeDrop),
    [
      'dropped at rung 1 of 3: psnr 20 (mean of 2 seeds), 2nd of 3, the best went on',
      'dropped at rung 1 of 3: no psnr, 2nd of 3, the best went on',
      'dropped at rung 2 of 3: fid 1.235, 42nd of 100, best 30 went on',
    ],
  );
  const ends = [1, 2, 3, 4, 11, 12, 13, 21, 101, 111].map((rank) =>
    describeDrop({ ...drop, rank, among: 200 }),
  );
  t.deepEqual(
    ends.map((text) => /(\d+\w+) of 200/.exec(text)?.[1]),
    ['1st', '2nd', '3rd', '4th', '11th', '12th', '13th', '21st', '101st', '111th'],
  );
});
