import { repository } from '../../../../support/project.ts';

const define = JSON.stringify(`${repository}/framework/stage/define.ts`);
const disk = JSON.stringify(`${repository}/framework/stage/disk.ts`);

const config = `
import path from 'node:path';
import { z } from 'zod';
import { defineComponent } from ${define};
import { disk } from ${disk};
import { env } from '${repository}/framework/experiment/environment.ts';

const at = (name: string) => new URL(name, import.meta.url).href;
const data = path.resolve(import.meta.dirname, '../data');
const schema = z.strictObject({ name: z.string(), steps: z.number().default(3) });
const parts = { schema, run: at('./stage.ts'), load: at('./load.ts') };

/** The packed file where it is there; marks where they are there; a folder; a file below a variable. */
export const images = defineComponent({
  role: 'dataset', kind: 'images', schema, load: at('./load.ts'),
  files: () => ({
    images: disk.first([data + '/x.bin.gz', data + '/x.bin']) ?? data + '/x.bin',
    ...(disk.exists(data + '/marks.txt') ? { marks: data + '/marks.txt' } : {}),
    ...Object.fromEntries(disk.list(data + '/lists').map((name) => [name, data + '/lists/' + name])),
    folder: data + '/folder',
    elsewhere: env('QUICK_DATA', 'y.bin'),
  }),
});
export const coder = defineComponent({ role: 'tokenizer', kind: 'coder', ...parts });
export const body = defineComponent({ role: 'pretraining', kind: 'body', ...parts });
export const task = defineComponent({ role: 'downstream', kind: 'task', ...parts });
export const table = defineComponent({ role: 'report', kind: 'rows', ...parts });
`;

const stage = `
import { value } from './value.ts';
import { spice } from './spice';
import { loss } from '#loss';
import { far } from 'far';
import { near } from 'near';
export async function run() { return { metrics: { value: value + spice + loss + far + near } }; }
`;

const experiment = `
import { defineExperiment } from '${repository}/framework/experiment/define.ts';
import { body, coder, images, table, task } from './parts/config.ts';
import numbers from './numbers.json';

const name = process.env.QUICK_HIDDEN === 'other' ? 'other' : 'beit';
export default defineExperiment({
  name: 'quick', seeds: [0],
  data: { train: images({ name: 'train' }), test: images({ name: 'test' }) },
  tokenizers: { beit: coder({ name, steps: numbers.steps }) },
  pretraining: { base: body({ name: 'base' }) }, downstream: { probe: task({ name: 'probe' }) },
  baseline: 'beit', report: table({ name: 'table' }),
});
`;

const manifest = (name: string, more: object = {}) =>
  JSON.stringify({ name, version: '1.0.0', type: 'module', main: 'index.js', ...more });

/** A project in which each kind of input occurs. The project itself is below \`home\`, so that folders above it count. */
export const quickFiles: { readonly [name: string]: string } = {
  'home/package.json': manifest('home', { imports: { '#loss': './parts/loss.ts' } }),
  'home/tsconfig.json': '{ "compilerOptions": { "target": "es2022" } }',
  'home/experiment.ts': experiment,
  'home/numbers.json': '{ "steps": 3 }',
  'home/parts/config.ts': config,
  'home/parts/stage.ts': stage,
  'home/parts/load.ts': 'export async function load() { return 1; }',
  'home/parts/value.ts': 'export const value = 1;',
  'home/parts/loss.ts': 'export const loss = 1;',
  'home/parts/spice/index.ts': 'export const spice = 1;',
  'home/data/x.bin': 'one',
  'home/data/lists/a.txt': 'one',
  'home/data/folder/1.png': 'one',
  'home/data/folder/deep/2.png': 'one',
  'elsewhere/y.bin': 'one',
  'elsewhere/other/y.bin': 'two',
  'home/node_modules/far/package.json': manifest('far', {
    dependencies: { deep: '1' },
    optionalDependencies: { extra: '1' },
  }),
  'home/node_modules/far/index.js': 'export const far = 1;',
  'home/node_modules/deep/package.json': manifest('deep'),
  'home/node_modules/deep/index.js': 'export const deep = 1;',
  'linked/package.json': manifest('near', { main: 'index.ts' }),
  'linked/index.ts': 'export const near = 1;',
};

/**
 * Where an edit may happen, by kind of input, with what may be written there. A star stands for any name, where only a
 * run knows it.
 */
export const quickPlaces: { readonly [kind: string]: { readonly [place: string]: readonly string[] } } = {
  sources: {
    'home/experiment.ts': [experiment.replace("'base' }", "'bass' }"), experiment, 'export default'],
    'home/numbers.json': ['{ "steps": 4 }', '{ "steps": 3 }'],
    'home/parts/stage.ts': [`${stage}// a remark`, stage.replace("'./value.ts'", "'./value'"), stage],
    'home/parts/load.ts': ['export async function load() { return 2; }'],
    'home/parts/value.ts': ['export const value = 2;', 'export const value = 1;'],
    'home/parts/value.js': ['export const value = 3;'],
    'home/parts/loss.ts': ['export const loss = 2;'],
    'home/parts/spice/index.ts': ['export const spice = 2;'],
    'home/parts/spice.ts': ['export const spice = 3;'],
    'home/parts/spice.js': ['export const spice = 4;'],
    'home/parts/package.json': ['{ "type": "module" }', '{ "imports": { "#loss": "./value.ts" } }'],
    'home/parts/tsconfig.json': ['{}', '{ "compilerOptions": { "paths": { "far": ["./far.ts"] } } }'],
    'home/parts/far.ts': ['export const far = 5;'],
    'home/package.json': [
      manifest('home', { imports: { '#loss': './parts/value.ts' } }),
      manifest('home', { imports: { '#loss': './parts/loss.ts' }, peco: { store: 'third' } }),
      quickFiles['home/package.json']!,
    ],
    'home/tsconfig.json': ['{ "compilerOptions": { "target": "es2020" } }', '{ "extends": "./base.json" }'],
    'home/base.json': ['{ "compilerOptions": { "useDefineForClassFields": false } }', '{}'],
    'home/parts': ['spoilt'],
    'home/parts/spice': ['spoilt'],
  },
  packages: {
    'home/node_modules/far/package.json': [
      manifest('far', { version: '2.0.0' }),
      quickFiles['home/node_modules/far/package.json']!,
    ],
    'home/node_modules/far/node_modules/deep/package.json': [manifest('deep', { version: '3.0.0' })],
    'home/node_modules/far/node_modules/extra/package.json': [manifest('extra')],
    'home/node_modules/extra/package.json': [manifest('extra', { version: '2.0.0' }), manifest('extra')],
    'home/node_modules/deep/package.json': [manifest('deep', { version: '2.0.0' }), manifest('deep')],
    'home/parts/node_modules/far/package.json': [manifest('far', { version: '4.0.0' })],
    'home/parts/node_modules/far/index.js': ['export const far = 4;'],
    'home/node_modules/@tensorflow/tfjs-node/package.json': [manifest('@tensorflow/tfjs-node')],
    'linked/index.ts': ['export const near = 2;', 'export const near = 1;'],
    'linked/package.json': [manifest('near', { main: 'index.ts', version: '1.0.1' })],
    'home/node_modules/near': ['spoilt'],
    'home/node_modules/far': ['spoilt'],
    'home/node_modules': ['spoilt'],
    linked: ['spoilt'],
  },
  settings: {
    'package.json': [manifest('above'), manifest('above', { peco: { store: 'fourth' } })],
    'home/peco.config.json': [
      '{ "store": "other" }',
      '{ "jobs": 1 }',
      '{ "results": "shown" }',
      '{ "stor": 1 }',
    ],
    'home/.pecorc': ['{ "store": "another" }', 'jobs: 2'],
    'home/.pecorc.yaml': ['store: other', '$import: ./more.yaml', 'results: shown'],
    'home/more.yaml': ['store: far', 'store: another'],
    'peco.config.json': ['{ "results": "above" }', '{ "store": "above" }'],
  },
  data: {
    'home/data/x.bin': ['two', 'one'],
    'home/data/x.bin.gz': ['packed', 'Packed'],
    'home/data/marks.txt': ['marks', 'Marks'],
    'home/data/lists/b.txt': ['two', 'one'],
    'home/data/lists/a.txt': ['two', 'one'],
    'home/data/folder/1.png': ['two', 'one'],
    'home/data/folder/3.png': ['two'],
    'home/data/folder/deep/2.png': ['two', 'one'],
    'elsewhere/y.bin': ['two', 'one'],
    'home/data': ['spoilt'],
    'home/data/folder': ['spoilt'],
    'home/data/lists': ['spoilt'],
  },
  results: {
    'home/remarks.md': ['nothing', 'to see'],
    'home/results/quick/table.md': ['spoilt', 'spoiled'],
    'home/results/quick/table.csv': ['spoilt'],
    'home/results/quick/more.txt': ['of a user'],
    'home/results/quick': ['spoilt'],
  },
  'stored results': {
    'home/.peco': ['spoilt'],
    'home/.peco/entries/*': ['spoilt'],
    'home/.peco/entries/*/manifest.json': ['spoilt', '{}'],
    'home/.peco/entries/*/fingerprint.json': ['spoilt', '{}'],
    'home/.peco/entries/*/outputs/*': ['spoilt'],
    'home/.peco/objects/sha256/*/*': ['spoilt'],
    'home/.peco/documents/*': ['spoilt', '{}'],
    'home/.peco/peco-store.json': ['{ "format": 9 }', '{}'],
    'peco-store.json': ['{ "format": 1 }'],
  },
};

/** Variables with their values at the beginning, and others. `undefined`: not set. */
export const quickVariables: {
  readonly [name: string]: readonly [string | undefined, ...(string | undefined)[]];
} = {
  QUICK_DATA: ['elsewhere', 'elsewhere/other', 'elsewhere/../elsewhere', undefined],
  QUICK_HIDDEN: [undefined, 'one', 'other'],
  QUICK_UNREAD: [undefined, 'one'],
  PECO_STORE: [undefined, 'variable', ''],
  PECO_RESULTS: [undefined, 'variable'],
  PECO_JOBS: [undefined, '2'],
};
