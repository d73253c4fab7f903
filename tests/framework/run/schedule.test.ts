import test from 'ava';
import fc from 'fast-check';
import type { StageEdge, StageNode } from '../../../framework/plan/types.ts';
import { chainLengths, shareCores, upstreamStages } from '../../../framework/run/schedule.ts';
import type { Component } from '../../../framework/stage/component.ts';

const component: Component = {
  role: 'tokenizer',
  kind: 'fake',
  config: {},
  implementation: {},
  inputs: {},
  files: {},
  issues: [],
};

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

test('cores are shared evenly, and every stage gets one', (t) => {
  t.is(shareCores({ cores: 8, used: 0, startable: 1 }), 8);
  t.is(shareCores({ cores: 8, used: 0, startable: 2 }), 4);
  t.is(shareCores({ cores: 8, used: 4, startable: 3 }), 1);
  t.is(shareCores({ cores: 2, used: 2, startable: 1 }), 1);
});

test('starting stages one after the other never takes more threads than there are cores, while there are enough', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 128 }), fc.integer({ min: 1, max: 128 }), (cores, stages) => {
      let used = 0;
      for (let startable = stages; startable > 0; startable--) used += shareCores({ cores, used, startable });
      return stages <= cores ? used === cores : used === stages;
    }),
  );
  t.pass();
});
