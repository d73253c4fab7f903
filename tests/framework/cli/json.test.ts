import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import type { z } from 'zod';
import { initialise } from '../../../framework/cli/commands/init.ts';
import { submittedAsJson } from '../../../framework/cli/commands/slurm.ts';
import { describeModule } from '../../../framework/cli/components.ts';
import { jsonSchemaOf, type SchemaName, schemas } from '../../../framework/cli/json/schemas.ts';
import { createProgram } from '../../../framework/cli/program.ts';
import { PecoError } from '../../../framework/stage/errors.ts';
import { ask } from '../../support/ask.ts';
import { repository } from '../../support/project.ts';
import { createRanRig } from '../../support/ran-rig.ts';

const folder = path.join(repository, 'docs/reference/schemas');

test('the published schemas are those of the sources', (t) => {
  const names = Object.keys(schemas) as SchemaName[];
  t.deepEqual(fs.readdirSync(folder).sort(), names.map((name) => `${name}.schema.json`).sort());
  for (const name of names) {
    const text = fs.readFileSync(path.join(folder, `${name}.schema.json`), 'utf8');
    t.deepEqual(JSON.parse(text), jsonSchemaOf(name), `${name}: node bin/docs.mjs`);
  }
});

/** What a command prints with --json, line by line. */
async function askForJson(...args: readonly string[]) {
  const { code, stdout, stderr } = await ask({ dir: repository }, ...args, '--json');
  const lines = stdout.trimEnd().split('\n');
  return { code, lines: lines.map((line): unknown => JSON.parse(line)), stderr };
}

test.serial('what commands print with --json has its schema', async (t) => {
  const rig = await createRanRig(t);
  const file = rig.file('experiment.ts');
  const store = rig.file('.peco');
  const changed = ['--set', 'tokenizers.peco.weight=3'];
  const fits = async (schema: z.ZodType, ...args: readonly string[]) => {
    const { code, lines } = await askForJson(...args, '--store', store);
    t.is(code, 0, args.join(' '));
    t.true(lines.length > 0);
    for (const line of lines) {
      const { error } = schema.safeParse(line);
      t.is(error?.message, undefined, `${args.join(' ')}: ${JSON.stringify(line).slice(0, 300)}`);
    }
    return lines;
  };
  await fits(schemas.plan, 'plan', file);
  await fits(schemas.plan, 'plan', file, ...changed);
  await fits(schemas.why, 'why', file, '**', ...changed);
  const [roots] = await fits(schemas.why, 'why', file, ...changed);
  t.is((roots as { roots: unknown[] }).roots.length, 1);
  await fits(schemas.diff, 'diff', file, file, ...changed);
  await fits(schemas.graph, 'graph', file);
  await fits(schemas.accept, 'accept', file, '**', '--anything', ...changed);
  await fits(schemas.show, 'show');
  const events = await fits(schemas.run, 'show', 'last');
  t.true(events.length > 10);
  await fits(schemas['show-key'], 'show', rig.entries()[0]!);
  await fits(schemas.cancel, 'cancel', file);
  await fits(schemas.gc, 'gc', file, '--dry-run', ...changed);
});

const allCommands = () => createProgram(() => {}).commands;

/** What a user can call: `job` is for the scripts of Slurm's jobs. */
const commands = () => allCommands().filter((one) => !('_hidden' in one && one._hidden));

test('every command has --json, and a schema of what it prints then', (t) => {
  for (const command of allCommands())
    t.true(
      command.options.some(({ long }) => long === '--json'),
      `${command.name()} has no --json`,
    );
  const named = new Set<string>(Object.keys(schemas));
  for (const command of commands()) t.true(named.has(command.name()), `${command.name()} has no schema`);
});

test.serial('whatever is wrong with a command, stdout has one line of JSON that says so', async (t) => {
  const rig = await createRanRig(t);
  rig.write({ 'empty.ts': '', 'broken.ts': 'export default {', 'text.ts': 'just text' });
  const folder = rig.file('parts');
  const refuse = async (...args: readonly string[]) => {
    const { code, lines } = await askForJson(...args);
    t.is(code, 2, args.join(' '));
    t.is(lines.length, 1, args.join(' '));
    return schemas.error.parse(lines[0]).error;
  };
  t.is((await refuse()).code, 'usage');
  t.is((await refuse('nonsense')).code, 'usage');
  t.is((await refuse('why', 'a.ts', '--rows', 'x')).message, 'why has no --rows, which is for report');
  for (const command of commands()) {
    const name = command.name();
    t.regex((await refuse(name, '--nonsense')).message, /unknown option '--nonsense'/);
    const takesFile = command.registeredArguments.some((one) => one.name() === 'file' && one.required);
    if (!takesFile) continue;
    const others = command.registeredArguments.slice(1).map(() => 'x');
    for (const file of [folder, rig.file('no.ts'), rig.file('empty.ts'), rig.file('broken.ts')]) {
      // The jobs of a file can be ended whatever is in it.
      if (name === 'cancel' && /(empty|broken)\.ts$/.test(file)) continue;
      const { message, hint, location } = await refuse(name, file, ...others);
      t.true(hint !== null || location !== null, `${name} ${file}: ${message}`);
    }
  }
});

test.serial('what an experiment file prints goes to stderr', async (t) => {
  const rig = await createRanRig(t);
  rig.write({ 'loud.ts': `console.log('loud');\n${rig.read('experiment.ts')}` });
  const { code, lines, stderr } = await askForJson('graph', rig.file('loud.ts'));
  t.is(code, 0);
  t.is(lines.length, 1);
  t.regex(stderr, /^loud\n/);
});

test('jobs that Slurm refused have the error in words', (t) => {
  const error = new PecoError('sbatch: no', { code: 'slurm', hint: 'run again' });
  const told = submittedAsJson({
    jobs: [],
    live: 0,
    liveStages: [],
    submittedStages: [],
    refused: { error, stages: 5 },
  });
  const line = JSON.parse(JSON.stringify({ time: '', type: 'submitted', ...told }));
  t.is(schemas.run.safeParse(line).error?.message, undefined);
  t.like(line.refused, { stages: 5, error: { message: 'sbatch: no', hint: 'run again' } });
});

test.serial('a refusal with --json is JSON, with a schema of its own', async (t) => {
  const rig = await createRanRig(t);
  const file = rig.file('experiment.ts');
  const refused = [
    ['plan', rig.file('missing.ts')],
    ['plan', file, '--set', 'tokenizers.peco.wieght=3', '--set', 'nonsense'],
    ['why', file, 'tokenizer/x*'],
    ['show', 'zzz'],
    ['init', rig.file('taken')],
  ];
  rig.write({ 'taken/tsconfig.json': '{}' });
  const codes: string[] = [];
  for (const args of refused) {
    const { code, lines } = await askForJson(...args);
    t.is(code, 2, args.join(' '));
    const { error } = schemas.error.parse(lines[0]);
    codes.push(`${error.code}, ${error.problems.length} problems`);
  }
  t.snapshot(codes);
});

test('what needs no store has its schema, too', async (t) => {
  const rig = await createRanRig(t);
  const made = await initialise(rig.file('new'));
  t.deepEqual(schemas.init.parse(made), made as never);
  const components = await describeModule({
    exports: await import('../../../index.ts'),
    file: path.join(repository, 'index.ts'),
  });
  t.deepEqual(schemas.describe.parse({ components }).components.length, components.length);
});
