import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { tinyAde20k } from '../../components/data/readers/ade20k/tiny.ts';
import { tinyCoco } from '../../components/data/readers/coco/tiny.ts';
import { configInKeys } from '../../framework/stage/added.ts';
import { isComponent } from '../../framework/stage/source.ts';
import * as shipped from '../../index.ts';

const {
  ade20k,
  coco,
  composites,
  dalle,
  dvae,
  fashionMnist,
  fineTune,
  imageFolder,
  inception,
  labelMaps,
  linearProbe,
  maskedImageModelling,
  maskRcnn,
} = shipped;
const { ablationTable, tokenizerEvaluation, vgg, vit, vqvae } = shipped;

const backbone = vit('base/16');

const root = fs.mkdtempSync(path.join(tmpdir(), 'peco-images-'));
fs.mkdirSync(path.join(root, 'cat'));
fs.writeFileSync(path.join(root, 'cat', '1.png'), '');
test.after.always(() => fs.rmSync(root, { recursive: true }));

const { images, labels } = tinyAde20k.training;
const folders = { images, labels };
const cocoFiles = {
  annotations: path.join(tinyCoco.root, 'annotations/instances_val2017.json'),
  images: path.join(tinyCoco.root, 'val2017'),
};

/** Every constructor of the package with no more than it needs, and with the groups of fields that may be absent. */
const components = {
  fashionMnist: [fashionMnist({ split: 'train' })],
  composites: [composites({ split: 'train' }), composites({ split: 'test', target: 'instances' })],
  imageFolder: [imageFolder({ root })],
  ade20k: [ade20k({ root: tinyAde20k.root, split: 'training' })],
  labelMaps: [labelMaps({ ...folders, classes: ['cat', 'dog'] })],
  coco: [coco({ root: tinyCoco.root, split: 'train2017' }), coco(cocoFiles)],
  vgg: [vgg(), vgg({ weights: shipped.file('vgg16-397923af.pth') })],
  inception: [inception()],
  vitFeatures: [shipped.vitFeatures({ weights: shipped.file('vit-b-300ep.pth.tar'), layout: 'moco-v3' })],
  vqvae: [
    vqvae({ steps: 100 }),
    vqvae({ steps: 100, loss: { perceptual: { network: vgg(), layers: ['relu1_1'] } } }),
  ],
  dalle: [
    dalle({ steps: 100 }),
    dalle({ weights: { encoder: shipped.file('encoder.pkl'), decoder: shipped.file('decoder.pkl') } }),
  ],
  dvae: [dvae({ steps: 100 })],
  tokenizerEvaluation: [tokenizerEvaluation()],
  maskedImageModelling: [maskedImageModelling({ backbone, steps: 100 })],
  fineTune: [fineTune({ labels: 100, steps: 100 }), fineTune({ backbone, labels: 100, steps: 100 })],
  linearProbe: [linearProbe({ labels: 100, layer: 1 })],
  knn: [shipped.knn({ layer: 1 })],
  maskRcnn: [maskRcnn({ epochs: 12, train: composites({ split: 'train', target: 'instances' }) })],
  upernet: [shipped.upernet({ steps: 100 }), shipped.upernet({ backbone, epochs: 100 })],
  ablationTable: [ablationTable()],
};

test('every component that the package exports is listed here', (t) => {
  const constructors = Object.entries(shipped).filter(([, value]) => {
    try {
      return isComponent((value as (input: object) => unknown)({}));
    } catch {
      return false; // no constructor: it wants something else
    }
  });
  t.deepEqual(constructors.map(([name]) => name).sort(), Object.keys(components).sort());
});

/**
 * A line that changes here changes keys: all stored results of that kind, and of what uses them, are made again. Where a
 * new field means with some value what was meant before it, declare it as `added(schema, { was: value })`: then no line
 * changes. Never change a `was`. If all should run again, update the snapshot: `npx ava --update-snapshots FILE`.
 */
test('the config of each component as it is in keys, with all defaults', (t) => {
  for (const [name, made] of Object.entries(components)) {
    for (const component of made) {
      t.deepEqual(component.issues, [], name);
      const { role, kind, version = 1 } = component;
      t.snapshot(
        { kind: `${role}/${kind}`, version, config: configInKeys(component) },
        `${name}: see the comment of this test before you update the snapshot`,
      );
    }
  }
});

test('every component that trains or reads data says how small it can be', (t) => {
  const silent = Object.values(components)
    .flat()
    .filter(({ role, implementation, smoke }) => {
      const works = implementation.run !== undefined || role === 'dataset';
      return works && role !== 'report' && smoke === undefined;
    });
  t.deepEqual(
    silent.map(({ kind }) => kind),
    [],
  );
});
