import test from 'ava';
import { createRig, normalise } from '../support/rig.ts';

const config = `
import { z } from 'zod';
import { defineComponent } from 'peco-exp';

const schema = z.strictObject({ how: z.string() });
const load = new URL('./load.ts', import.meta.url).href;
export const failing = defineComponent({
  role: 'tokenizer', kind: 'failing', schema, run: new URL('./stage.ts', import.meta.url).href, load,
});
export const loading = defineComponent({
  role: 'evaluation', kind: 'loading', schema, run: new URL('./evaluation.ts', import.meta.url).href,
});
`;

const stage = `
import type { StageContext } from 'peco-exp';
import { ways } from './ways.ts';

export async function run({ config }: StageContext) {
  await ways[String(config.how)]!();
  return {};
}
`;

// Line numbers are in the snapshot: what throws in which line can be counted here, from 1 for the empty one.
const ways = `
import { crumble, reject } from 'fragile';

class DataError extends Error { override readonly name = 'DataError'; }
const never = () => new Promise<void>(() => { setInterval(() => {}, 1000); });
const tick = () => new Promise<void>((resolve) => setTimeout(resolve, 1));

export const ways: { readonly [how: string]: () => unknown } = {
  plain: () => { throw new Error('the file is empty'); },
  named: () => { throw new DataError('the file is empty'); },
  wordless: () => { throw new RangeError(); },
  type: () => (null as never as { size: number }).size,
  library: () => crumble(30),
  libraryLater: async () => { await reject(); },
  later: async () => { await tick(); throw new Error('it took a while'); },
  timer: async () => { setTimeout(() => { throw new Error('no one waits for me'); }, 1); await never(); },
  unhandled: async () => { void Promise.reject(new Error('a promise without await')); await never(); },
  cause: () => { throw new Error('no labels', { cause: new TypeError('row 3 is no number', { cause: 'a typo' }) }); },
  several: () => Promise.any([tick().then(() => { throw new Error('first'); }), Promise.reject(new TypeError('second'))]),
  text: () => { throw 'no data'; },
  object: () => { throw { code: 3 }; },
  nothing: () => { throw undefined; },
  fine: () => {},
};
`;

const fragile = `
export function crumble(depth) { if (depth === 0) throw new Error('crumbled'); return crumble(depth - 1); }
export async function reject() { await null; throw new Error('rejected'); }
`;

const hows = [...ways.matchAll(/^ {2}(\w+): /gm)].map(([, how]) => how!);

const experiment = `
import { defineExperiment } from 'peco-exp';
import { failing, loading } from './fail/config.ts';
import { data, downstream, pretraining } from './parts/config.ts';

export default defineExperiment({
  name: 'failing', seeds: [0],
  data: { train: data({ name: 'train' }), test: data({ name: 'test' }) },
  tokenizers: { ${hows.map((how) => `${how}: failing({ how: '${how}' })`).join(', ')} },
  evaluation: loading({ how: 'load' }),
  pretraining: { base: pretraining({ name: 'mim' }) },
  downstream: { probe: downstream({ name: 'probe' }) },
  baseline: 'plain',
});
`;

test('a stage that fails says where in the files of the project, whatever it threw', async (t) => {
  const rig = createRig(t, {
    'fail/config.ts': config,
    'fail/stage.ts': stage,
    'fail/ways.ts': ways,
    'fail/load.ts': "export async function load() {\n  throw new Error('weights are missing');\n}\n",
    'fail/evaluation.ts':
      'import type { StageContext } from "peco-exp";\nexport async function run({ inputs }: StageContext) {\n  await inputs.tokenizer!.load();\n  return {};\n}\n',
    'failing.ts': experiment,
    'node_modules/fragile/package.json':
      '{ "name": "fragile", "version": "1.0.0", "type": "module", "main": "index.js" }',
    'node_modules/fragile/index.js': fragile,
  });
  const { stdout } = await rig.peco('run', 'failing.ts', '--jobs', '2');
  const failures = blocksOf(normalise(stdout, rig));
  t.is(failures.length, hows.length, stdout);
  t.snapshot(failures.join('\n'));

  // With --verbose Node maps the stack itself, and the place is the same.
  const verbose = await rig.peco('run', 'failing.ts', '--verbose', '--upto', 'tokenizer/library');
  t.true(verbose.stdout.includes('  at fail/ways.ts:13\n'), verbose.stdout);
  const elsewhere = failures.filter((failure) => !failure.includes('\n  at fail/'));
  t.deepEqual(
    elsewhere.map((failure) => /tokenizer\/(\w+)/.exec(failure)?.[1]),
    ['nothing', 'object', 'text'],
  );
});

/** The failures of a run with the message of each, by the names of the stages. */
function blocksOf(text: string): string[] {
  const lines = text.split('\n');
  const starts = lines.flatMap((line, index) => (line.includes('  FAILED: ') ? [index] : []));
  const blocks = starts.map((start) => {
    const more = lines.slice(start + 1);
    const end = more.findIndex((line) => !line.startsWith('  '));
    return [lines[start], ...more.slice(0, end < 0 ? undefined : end)].join('\n');
  });
  return blocks.sort();
}
