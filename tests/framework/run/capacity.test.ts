import test from 'ava';
import fc from 'fast-check';
import type { StageEdge, StageNode } from '../../../framework/plan/types.ts';
import { upstreamStages } from '../../../framework/plan/walk.ts';
import { type Claim, chainLengths, chooseStarts, shareCores } from '../../../framework/run/capacity.ts';
import { component } from './support/fake-tasks.ts';

function stage(id: string, ...upstream: StageNode[]): StageNode {
  const edges = upstream.map((node): [string, StageEdge] => [node.id, { type: 'stage', stage: node }]);
  return { id, component, seed: 0, inputs: Object.fromEntries(edges) };
}

test('the chain of a stage is the longest way to the end, itself included', (t) => {
  const network = stage('network');
  const peco = stage('peco', network);
  const beit = stage('beit');
  const pretraining = stage('pretraining', peco, beit);
  const report = stage('report', pretraining, beit);
  const lengths = chainLengths([network, peco, beit, pretraining, report]);
  t.deepEqual(
    [network, peco, beit, pretraining, report].map((node) => lengths.get(node)),
    [4, 3, 3, 2, 1],
  );
});

test('a stage waits for the stages below its leaves too, and for each once', (t) => {
  const network = stage('network');
  const leaf: StageEdge = { type: 'leaf', component, inputs: { network: { type: 'stage', stage: network } } };
  const node: StageNode = { ...stage('tokenizer', network), inputs: { ...stage('', network).inputs, leaf } };
  t.deepEqual(upstreamStages(node), [network]);
});

const all = Number.POSITIVE_INFINITY;

test('cores are shared evenly, and every stage gets one', (t) => {
  t.is(shareCores({ cores: 8, used: 0, startable: [all] }), 8);
  t.is(shareCores({ cores: 8, used: 0, startable: [all, all] }), 4);
  t.is(shareCores({ cores: 8, used: 4, startable: [all, all, all] }), 1);
  t.is(shareCores({ cores: 2, used: 2, startable: [all] }), 1);
});

test('what a stage cannot use goes to the others', (t) => {
  t.is(shareCores({ cores: 8, used: 0, startable: [1] }), 1);
  t.is(shareCores({ cores: 8, used: 0, startable: [all, 1] }), 7);
  t.is(shareCores({ cores: 8, used: 0, startable: [1, all] }), 1);
  // 2 and 3 take less than a third of 12, so 7 are left.
  t.is(shareCores({ cores: 12, used: 0, startable: [all, 3, 2] }), 7);
  t.is(shareCores({ cores: 12, used: 0, startable: [16, all, 2] }), 5);
});

const capacityOf = fc.record({
  jobs: fc.integer({ min: 1, max: 6 }),
  cores: fc.integer({ min: 1, max: 64 }),
  memory: fc.integer({ min: 1, max: 1000 }),
});
const resources = fc.record(
  { cores: fc.integer({ min: 1, max: 16 }), memory: fc.integer({ min: 1, max: 1500 }) },
  { requiredKeys: [] },
);

test('while there are cores enough, all are given out that can be used, and none twice', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 128 }),
      fc.array(resources, { maxLength: 128 }),
      (cores, stages) => {
        const capacity = { jobs: stages.length, cores, memory: all };
        const starts = chooseStarts(
          stages.map((wanted) => ({ resources: wanted })),
          [],
          capacity,
        );
        const given = starts.map(({ claim }) => claim.threads);
        const used = given.reduce((sum, threads) => sum + threads, 0);
        const usable = stages.reduce((sum, wanted) => sum + (wanted.cores ?? cores), 0);
        const fair = given.every(
          (threads, index) => threads >= 1 && threads <= (stages[index]!.cores ?? all),
        );
        return fair && used === (stages.length <= cores ? Math.min(cores, usable) : stages.length);
      },
    ),
  );
  t.pass();
});

interface Running {
  readonly claim: Claim;
}

test('whatever stages need: never more than jobs, never over the memory unless alone, and all get to run', (t) => {
  const waiting = fc.array(fc.record({ resources, holdsUp: fc.boolean() }), { maxLength: 20 });
  fc.assert(
    fc.property(waiting, capacityOf, fc.infiniteStream(fc.nat()), (stages, capacity, picks) => {
      // As in the scheduler, those that hold up the others are first in line.
      let open = [...stages].sort((a, b) => Number(b.holdsUp) - Number(a.holdsUp));
      let running: Running[] = [];
      for (let turn = 0; open.length > 0; turn++) {
        if (turn > stages.length) return false;
        const starts = chooseStarts(
          open,
          running.map(({ claim }) => claim),
          capacity,
        );
        open = open.filter((stage) => !starts.some(({ candidate }) => candidate === stage));
        running = [...running, ...starts];
        const memory = running.reduce((sum, { claim }) => sum + claim.memory, 0);
        if (running.length === 0 || running.length > capacity.jobs) return false;
        if (memory > capacity.memory && running.length > 1) return false;
        // Any of them ends.
        const ending = picks.next().value % running.length;
        running = running.filter((_, index) => index !== ending);
      }
      return true;
    }),
  );
  t.pass();
});

const need = (memory: number, holdsUp = false) => ({ resources: { memory }, holdsUp });
const capacity = { jobs: 4, cores: 4, memory: 100 };
const held = (memory: number): Claim => ({ threads: 1, memory });

test('what does not fit beside those that run is overtaken by what does', (t) => {
  const [large, small] = [need(60), need(40)];
  const starts = chooseStarts([large, small, need(20)], [held(50)], capacity);
  t.deepEqual(
    starts.map(({ candidate }) => candidate),
    [small],
  );
});

test('nothing overtakes a stage that others may wait for', (t) => {
  t.deepEqual(chooseStarts([need(60, true), need(10)], [held(50)], capacity), []);
});

test('what needs more memory than there is runs alone', (t) => {
  const huge = need(500);
  t.deepEqual(chooseStarts([huge], [held(1)], capacity), []);
  const alone = chooseStarts([huge, need(1), {}], [], capacity);
  t.deepEqual(
    alone.map(({ candidate }) => candidate),
    [huge],
  );
  t.deepEqual(chooseStarts([{}], [alone[0]!.claim], capacity), []);
});
