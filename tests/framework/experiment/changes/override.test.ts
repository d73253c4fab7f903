import test from 'ava';
import fc from 'fast-check';
import { loadExperiment } from '../../../../framework/experiment/load.ts';
import type { LoadedExperiment, LoadOptions } from '../../../../framework/experiment/types.ts';
import { canonicalJson } from '../../../../framework/stage/canonical.ts';
import { formatError } from '../../../../framework/stage/errors.ts';
import { type Project, portable, repository } from '../../../support/project.ts';
import { createFakeProject } from '../../../support/simulate.ts';

const framework = `${repository}/framework`;

/** Paths that lead nowhere, in the ways in which one can mistype or forge them. */
const astray: readonly string[] = [
  'data.train.__proto__.channels',
  'tokenizers.peco.constructor.size',
  'tokenizers.peco.codebook.__proto__',
  'tokenizers.prototype.codebook.size',
  '__proto__.name',
  'constructor',
  'toString',
  'tokenizers.toString.stride',
  'tokenizers.peco.loss.perceptual.layers.-1',
  'tokenizers.peco.loss.perceptual.layers.7',
  'tokenizers.peco.loss.perceptual.layers.01',
  'tokenizers.peco.loss.perceptual.layers.1e0',
  'tokenizers.peco.loss.perceptual.layers.length',
  'tokenizers.peco.loss.perceptual.network.0.width',
  'tokenizers.0.codebook.size',
  'scratch.downstream.probe.steps',
  'tokenizers..codebook.size',
  'tokenizers.peco.codebook.size.',
  '.name',
];

async function load(project: Project, text: string, options: Partial<LoadOptions>) {
  project.write({ 'other.ts': text });
  const loading = loadExperiment('other.ts', { cwd: project.dir, ...options });
  return loading.catch((error: unknown) => portable(formatError(error), project));
}

const same = "export { default } from './experiment.ts';";
const withOverride = (path: string) => `
import { override } from '${framework}/experiment/changes/override.ts';
import base from './experiment.ts';
export default override(base, { ${JSON.stringify(path)}: 4 });`;
const withSweep = (path: string) => `
import { defineExperiment } from '${framework}/experiment/define.ts';
import { product } from '${framework}/experiment/changes/sweep.ts';
import base from './experiment.ts';
export default defineExperiment({ ...base, sweep: product({ [${JSON.stringify(path)}]: [4] }) });`;

for (const path of astray) {
  test(`nothing is changed through ${path}: by --set, --sweep, override or a sweep`, async (t) => {
    const project = createFakeProject(t);
    const messages = {
      '--set': await load(project, same, { set: [`${path}=4`] }),
      '--sweep': await load(project, same, { sweep: [`${path}=4`] }),
      override: await load(project, withOverride(path), {}),
      sweep: await load(project, withSweep(path), {}),
    };
    for (const [who, message] of Object.entries(messages)) t.is(typeof message, 'string', who);
    t.snapshot(messages);
  });
}

/** A tokenizer whose schema drops fields that it doesn't know, instead of refusing them. */
const loose = `
import { z } from 'zod';
import { defineComponent } from '${framework}/stage/define.ts';
const schema = z.object({ size: z.int().default(3), root: z.string().optional().transform(() => undefined), inner: z.object({ dim: z.int() }).optional() });
const module = new URL('./stage.ts', import.meta.url).href;
export const loose = defineComponent({ role: 'tokenizer', kind: 'loose', schema, run: module });
`;
const stage = 'export async function run() { return {}; }\n';
const withLoose = `
import { defineExperiment } from '${framework}/experiment/define.ts';
import base from './experiment.ts';
import { loose } from './parts/loose/config.ts';
export default defineExperiment({ ...base, tokenizers: { ...base.tokenizers, loose: loose({}) } });`;

test('a field that a lenient schema drops is refused, one that it knows is set', async (t) => {
  const project = createFakeProject(t);
  project.write({ 'parts/loose/config.ts': loose, 'parts/loose/stage.ts': stage });
  const attempt = (options: Partial<LoadOptions>) => load(project, withLoose, options);
  t.snapshot(await attempt({ set: ['tokenizers.loose.sise=4'] }), '--set');
  t.snapshot(await attempt({ set: ['tokenizers.loose.inner={"dim":4}', 'tokenizers.loose.inner.dimm=4'] }));
  t.snapshot(await attempt({ sweep: ['tokenizers.loose.sise=4,5'] }), '--sweep');
  for (const field of ['size=4', 'size=3', 'root=folder', 'inner={"dim":4}', 'inner.dim=4'])
    t.is(typeof (await attempt({ set: [`tokenizers.loose.${field}`] })), 'object', field);
});

test('a value with names that no field can have is refused', async (t) => {
  const project = createFakeProject(t);
  const forged = '{"size":4,"__proto__":{"dim":1}}';
  t.snapshot(await load(project, same, { set: [`tokenizers.peco.codebook=${forged}`] }), '--set');
  t.snapshot(await load(project, same, { sweep: [`tokenizers.peco.codebook=${forged}`] }), '--sweep');
});

test('an element of a list that is a default can be changed, and one added', async (t) => {
  const project = createFakeProject(t);
  project.edit(
    'parts/report/config.ts',
    'title: z',
    "columns: z.array(z.string()).default(['a', 'b']), title: z",
  );
  const set = ['report.columns.1=c', 'report.columns.2=d'];
  const { experiment } = (await load(project, same, { set })) as LoadedExperiment;
  t.deepEqual(experiment.report!.config.columns, ['a', 'c', 'd']);
});

test('to set a field to the value that it has is no mistake, and changes nothing', async (t) => {
  const project = createFakeProject(t);
  const fields: { readonly [path: string]: unknown } = {
    name: 'fake',
    seeds: [0, 1],
    'tokenizers.peco.codebook.size': 256,
    'tokenizers.peco.codebook.decay': 0.99,
    'tokenizers.peco.loss.perceptual.layers.0': 'relu2_2',
    'tokenizers.peco.loss.perceptual.network.width': 16,
    'scratch.downstream.finetune.labels': 2000,
    'data.train.channels': 1,
  };
  const plain = (await load(project, same, {})) as LoadedExperiment;
  await fc.assert(
    fc.asyncProperty(fc.subarray(Object.entries(fields)), async (chosen) => {
      const set = chosen.map(([path, value]) => `${path}=${JSON.stringify(value)}`);
      const changed = (await load(project, same, { set })) as LoadedExperiment;
      const configs = ({ experiment }: LoadedExperiment) =>
        canonicalJson(JSON.parse(JSON.stringify(experiment)));
      t.is(configs(changed), configs(plain));
    }),
    { numRuns: 15 },
  );
});

test('a path or a value of 60,000 levels is refused, and ends no process', async (t) => {
  const project = createFakeProject(t);
  const levels = 60_000;
  const deep = `${'['.repeat(levels)}${']'.repeat(levels)}`;
  const far = `tokenizers.peco.${'a.'.repeat(levels)}a=1`;
  for (const flags of [
    { set: [`tokenizers.peco.codebook=${deep}`] },
    { set: [far] },
    { sweep: [`tokenizers.peco.codebook=${deep},1`] },
    { sweep: [far] },
  ]) {
    const error = await t.throwsAsync(loadExperiment('experiment.ts', { cwd: project.dir, ...flags }));
    const text = formatError(error);
    t.regex(text, /at most 100 are taken/);
    t.true(text.length < 500, text.slice(0, 500));
  }
});
