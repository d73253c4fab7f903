import fs from 'node:fs';
import test from 'ava';
import { schemas } from '../../framework/cli/json/schemas.ts';
import { createRig, normalise, type Rig } from '../support/rig.ts';

const exporter = `
import fs from 'node:fs';
import path from 'node:path';
import type { ExportFunction } from 'peco-exp';

export const exportResult: ExportFunction = async (input, { format, file }) => {
  if (format === 'half') {
    fs.writeFileSync(file, 'half of it');
    throw Object.assign(new Error('has no half'), { name: 'StageError', hint: 'take the whole' });
  }
  const data = await input.inputs.train!.load();
  fs.writeFileSync(file, fs.readFileSync(path.join(input.dir, 'weights.txt'), 'utf8') + ' of ' + data);
  return { load: ['cat ' + format] };
};
`;

/** Tokenizers have formats, the rest has none. */
function createExportRig(...args: Parameters<typeof createRig>): Rig {
  const rig = createRig(args[0], { 'parts/export.ts': exporter, ...args[1] });
  rig.edit(
    'parts/config.ts',
    "run: new URL('./tokenizer.ts', import.meta.url).href,",
    `run: new URL('./tokenizer.ts', import.meta.url).href,
  exports: { module: new URL('./export.ts', import.meta.url).href, formats: { text: '.txt', half: '.bin' } },`,
  );
  return rig;
}

async function tell(rig: Rig, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await rig.peco('export', 'experiment.ts', ...args);
  return `exit ${code}\n${normalise(stdout + stderr, rig).replaceAll(/\b[0-9a-f]{12}\b/g, '<key>')}`;
}

test('a stored result is exported by the module of its component, with what it was made of', async (t) => {
  const rig = createExportRig(t);
  t.snapshot(await tell(rig, 'tokenizer/peco', '--format', 'text'), 'nothing is stored yet');
  t.is((await rig.peco('run', 'experiment.ts')).code, 0);
  t.snapshot(await tell(rig, 'tokenizer/peco', '--format', 'text'), 'exported');
  t.is(rig.read('tokenizer-peco-seed-0-text.txt'), '"peco"\ntrain images of train2 of images of train');
  t.snapshot(
    await tell(rig, 'tokenizer/beit/seed-0', '--format', 'text', '--to', 'out/beit.txt'),
    'elsewhere',
  );
  const args = [
    'export',
    'experiment.ts',
    'tokenizer/beit',
    '--format',
    'text',
    '--to',
    'json.txt',
    '--json',
  ];
  const { stdout } = await rig.peco(...args);
  t.is(schemas.export.safeParse(JSON.parse(stdout)).error?.message, undefined, stdout);
  t.true(rig.read('out/beit.txt').startsWith('"beit"'));
  t.snapshot(
    await tell(rig, 'tokenizer/peco', '--format', 'text', '--set', 'tokenizers.peco.weight=3'),
    'of another config',
  );
});

test('an export that fails leaves no file, and none is replaced', async (t) => {
  const rig = createExportRig(t, { 'mine.txt': 'mine' });
  t.is((await rig.peco('run', 'experiment.ts')).code, 0);
  t.snapshot(
    await tell(rig, 'tokenizer/peco', '--format', 'half', '--to', 'half.bin'),
    'refused by the format',
  );
  t.snapshot(await tell(rig, 'tokenizer/peco', '--format', 'text', '--to', 'mine.txt'), 'a file is there');
  t.snapshot(await tell(rig, 'tokenizer/peco', '--format', 'text', '--to', 'mine.txt/x'), 'below a file');
  if (process.platform === 'linux') {
    // Node's recursive mkdir never ends there.
    t.regex(
      await tell(rig, 'tokenizer/peco', '--format', 'text', '--to', '/proc/x/y'),
      /can't be written \(ENOENT\)/,
    );
  }
  t.is(rig.read('mine.txt'), 'mine');
  t.deepEqual(
    fs.readdirSync(rig.dir).filter((name) => /half|partial/.test(name)),
    [],
  );
});

test('what can be exported is said where something else is asked for', async (t) => {
  const rig = createExportRig(t);
  t.snapshot(await tell(rig, 'tokenizer/peco'), 'no format');
  t.snapshot(await tell(rig, 'tokenizer/peco', '--format', 'txt'), 'an unknown format');
  t.snapshot(await tell(rig, 'evaluation/peco', '--format', 'text'), 'a stage without formats');
  t.snapshot(await tell(rig, 'tokenizer/peko', '--format', 'text'), 'an unknown stage');
  t.snapshot(await tell(rig, 'tokenizer', '--format', 'text'), 'several stages');
});
