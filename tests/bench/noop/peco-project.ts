import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCode, type Shape, writeFiles } from './graph.ts';

export const repository = fileURLToPath(new URL('../../../', import.meta.url));
export const experimentFile = 'experiment.ts';
/** The file that every stage's code imports. */
export const sharedCode = 'parts/code.ts';
/** A file; a folder in its place makes a dataset of many files. */
export const dataset = 'data/images';

/** How the roles make up a column, for readers of the table. */
export const pecoNote =
  'a column is a chain of nested networks, a tokenizer with the last of them, a pretraining and a downstream task: ' +
  'depth - 3 networks and 3; one seed, no evaluation and no report; every stage imports the shared code file';

/** Writes a project whose experiment has exactly `columns x depth` stages. `files`, if given, are its dataset. */
export function writePecoProject(
  dir: string,
  shape: Shape,
  files: { readonly [name: string]: string } = {},
): void {
  writeFiles(dir, {
    'package.json': { name: 'bench', private: true, type: 'module' },
    'parts/config.ts': config,
    'parts/stage.ts': stage,
    'parts/load.ts': load,
    [sharedCode]: makeCode(),
    ...(Object.keys(files).length > 0 ? files : { [dataset]: makeCode() }),
    [experimentFile]: makeExperiment(shape),
  });
  fs.mkdirSync(path.join(dir, 'node_modules'));
  fs.symlinkSync(repository, path.join(dir, 'node_modules/peco-exp'));
  fs.symlinkSync(path.join(repository, 'node_modules/zod'), path.join(dir, 'node_modules/zod'));
}

/** `changes` counts up to make an edit: it is in the config of the first column's tokenizer. */
export function makeExperiment({ columns, depth }: Shape, changes = 0): string {
  return `
import { defineExperiment } from 'peco-exp';
import { downstream, images, network, pretraining, tokenizer } from './parts/config.ts';

function column(index: number) {
  let last: ReturnType<typeof network> | undefined;
  for (let level = 0; level < ${depth - 3}; level++) {
    last = network({ column: index, level, ...(last ? { previous: last } : {}) });
  }
  return tokenizer({ column: index, changes: index === 0 ? ${changes} : 0, ...(last ? { network: last } : {}) });
}

export default defineExperiment({
  name: 'noop',
  seeds: [0],
  data: { train: images({ folder: 'data' }), test: images({ folder: 'data' }) },
  tokenizers: Object.fromEntries(Array.from({ length: ${columns} }, (_, index) => ['column' + index, column(index)])),
  pretraining: { base: pretraining({}) },
  downstream: { task: downstream({}) },
  baseline: 'column0',
});
`;
}

const config = `
import path from 'node:path';
import { component, defineComponent } from 'peco-exp';
import { z } from 'zod';

const run = new URL('./stage.ts', import.meta.url).href;
const load = new URL('./load.ts', import.meta.url).href;
const steps = z.int().positive().default(100);

export const images = defineComponent({
  role: 'dataset',
  kind: 'images',
  schema: z.strictObject({ folder: z.string() }),
  load,
  files: ({ folder }) => ({ images: path.resolve(import.meta.dirname, '..', folder, 'images') }),
});
export const network = defineComponent({
  role: 'network',
  kind: 'network',
  schema: z.strictObject({ column: z.int(), level: z.int(), steps, previous: component('network').optional() }),
  inputs: ({ previous }) => ({ previous }),
  run,
  load,
});
export const tokenizer = defineComponent({
  role: 'tokenizer',
  kind: 'tokenizer',
  schema: z.strictObject({ column: z.int(), changes: z.int(), steps, network: component('network').optional() }),
  inputs: (input) => ({ network: input.network }),
  run,
  load,
});
export const pretraining = defineComponent({
  role: 'pretraining',
  kind: 'pretraining',
  schema: z.strictObject({ steps }),
  run,
  load,
});
export const downstream = defineComponent({
  role: 'downstream',
  kind: 'downstream',
  schema: z.strictObject({ steps }),
  run,
});
`;

const stage = `
import fs from 'node:fs';
import path from 'node:path';
import type { StageContext } from 'peco-exp';
import { step1 } from './code.ts';

export async function run({ outDir }: StageContext) {
  fs.writeFileSync(path.join(outDir, 'out.txt'), String(step1(2)));
  return { metrics: { made: 1 } };
}
`;

const load = `
import type { StageInput } from 'peco-exp';

export async function load(input: StageInput) {
  return input.dir;
}
`;
