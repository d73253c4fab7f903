import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { z } from 'zod';
import {
  get,
  inForce,
  innermost,
  isExperiment,
  type Memory,
  remake,
  set,
  walk,
} from '../../../framework/experiment/tree.ts';
import type { Component } from '../../../framework/stage/component.ts';
import { component, defineComponent } from '../../../framework/stage/define.ts';
import { repository } from '../../support/project.ts';

const network = defineComponent({
  role: 'network',
  kind: 'vgg',
  schema: z.strictObject({
    width: z.int().positive().default(32),
    layers: z.array(z.string()).default(['a']),
  }),
});
const tokenizer = defineComponent({
  role: 'tokenizer',
  kind: 'vqvae',
  schema: z.strictObject({
    size: z.int().default(8),
    loss: z.strictObject({ network: component('network') }),
  }),
  inputs: (input) => ({ network: input.loss.network as Component }),
});

const vgg = network({});
const peco = tokenizer({ loss: { network: vgg } });
const tree = { tokenizers: { peco, twin: peco }, lists: [{ network: network({ width: 4 }) }] };

test('walking finds every component once, nested ones after those that they are in, by the paths of the file', (t) => {
  const found = [...walk(tree)].map((one) => `${one.path.join('.')}: ${one.component.kind}`);
  t.deepEqual(found, ['tokenizers.peco: vqvae', 'tokenizers.peco.loss.network: vgg', 'lists.0.network: vgg']);
});

test('a value is what is written, or what counts', (t) => {
  const width = ['tokenizers', 'peco', 'loss', 'network', 'width'];
  t.is(get(tree, width), undefined);
  t.is(inForce(tree, width), 32);
  t.is(get(tree, ['lists', '0', 'network', 'width']), 4);
  t.is(inForce(tree, ['tokenizers', 'peco', 'loss', 'network']), 'vgg');
  t.is(get(tree, ['tokenizers', 'peco', 'loss', 'network']), vgg);
  // What every object has, and what a component has beside its fields, is no part of the tree.
  for (const name of ['constructor', 'role', 'config'])
    t.is(get(tree, ['tokenizers', 'peco', name]), undefined);
  t.deepEqual(innermost(tree, width)?.rest, ['width']);
});

test('fields are set through components, which are made again by their own rules; the rest stays itself', (t) => {
  const changes = [
    { path: ['tokenizers', 'peco', 'size'], value: 9 },
    { path: ['tokenizers', 'peco', 'loss', 'network', 'layers', '1'], value: 'b' },
    { path: ['lists', '0', 'network', 'width'], value: 0 },
  ];
  const made = set(tree, changes) as typeof tree;
  t.like(made.tokenizers.peco.config, { size: 9, loss: { network: 'vgg' } });
  // The list was a default: an element is changed in the whole list.
  t.deepEqual(made.tokenizers.peco.inputs.network!.config, { width: 32, layers: ['a', 'b'] });
  t.deepEqual(
    made.lists[0]!.network.issues.map(({ path: field, message }) => `${field}: ${message}`),
    ['width: must be greater than 0'],
  );
  t.is(made.tokenizers.twin, peco);
  t.is(peco.config.size, 8);
});

test('with a memory, the same changes of a component make one component', (t) => {
  const memory: Memory = new WeakMap();
  const at = (size: number) =>
    (set(tree, [{ path: ['tokenizers', 'peco', 'size'], value: size }], memory) as typeof tree).tokenizers
      .peco;
  t.is(at(3), at(3));
  t.not(at(3), at(4));
  t.is(at(4).config.size, 4);
});

test('a component is no experiment, and is made again from something else', (t) => {
  t.false(isExperiment(peco));
  t.false(isExperiment(tree));
  t.is(remake(vgg, { width: 5 }).config.width, 5);
});

test('only the tree opens components by what they were made of', (t) => {
  const folder = path.join(repository, 'framework');
  const files = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const openers = files.filter(
    (file) =>
      file.endsWith('.ts') &&
      !file.startsWith('stage/') &&
      fs.readFileSync(path.join(folder, file), 'utf8').includes('sourceOf('),
  );
  t.deepEqual(openers, ['experiment/tree.ts']);
});
