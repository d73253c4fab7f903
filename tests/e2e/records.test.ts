import fs from 'node:fs';
import test from 'ava';
import { ask } from '../support/ask.ts';
import { createRig, normalise, type Rig } from '../support/rig.ts';

function runs(rig: Rig): string[] {
  const dir = rig.file('.peco/runs');
  return fs.existsSync(dir) ? fs.readdirSync(dir).sort() : [];
}

/** Text without the ids, ages and versions of one run. */
function masked(text: string, rig: Rig): string {
  return normalise(text, rig)
    .replaceAll(/\d{8}-\d{6}-rig-[0-9a-f]{4}/g, '<run>')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, '<when>')
    .replaceAll(/peco-exp \d\S+, node v\S+/g, 'peco-exp <version>, node <version>')
    .replaceAll(/<time>( to <time>)? ago/g, '<age>')
    .replaceAll(/(\S) {2,}/g, '$1  ');
}

/** Lines in which a run tells of its stages, without times. */
function told(stdout: string, rig: Rig): string[] {
  return masked(stdout, rig)
    .split('\n')
    .filter((line) => /^(tokenizer|evaluation|warning|stopping)/.test(line));
}

test.serial('a run is recorded and can be shown again; a run with nothing to do is not', async (t) => {
  const rig = createRig(t);
  const run = await rig.peco('run', 'experiment.ts', '--jobs', '1', '--upto', 'evaluation/beit');
  await rig.peco('run', 'experiment.ts', '--upto', 'evaluation/beit');
  const ids = runs(rig);
  t.is(ids.length, 1);
  const shown = await ask(rig, 'show', 'last');
  t.is(shown.code, 0);
  t.snapshot(masked(shown.stdout, rig));
  t.deepEqual(told(shown.stdout, rig), told(run.stdout, rig));
  const list = await ask(rig, 'show');
  t.snapshot(masked(list.stdout, rig).replaceAll(/\d+ B/g, '<bytes>'));

  for (const name of [ids[0]!, ids[0]!.slice(0, 8)]) {
    t.is((await ask(rig, 'show', name)).stdout, shown.stdout);
  }
  const record = JSON.parse(rig.read(`.peco/runs/${ids[0]}/run.json`));
  t.like(record, {
    id: ids[0],
    experiment: 'rig',
    file: 'experiment.ts',
    command: ['run', 'experiment.ts', '--jobs', '1', '--upto', 'evaluation/beit'],
    status: 'done',
    stages: 2,
    counts: { ran: 2, hit: 0 },
    git: null,
  });
  const raw = (await ask(rig, 'show', 'last', '--json')).stdout;
  t.is(raw, rig.read(`.peco/runs/${ids[0]}/events.ndjson`));
  const { provenance } = JSON.parse(rig.read(`.peco/entries/${rig.entries()[0]}/manifest.json`));
  t.is(provenance.run, ids[0]);
});

test.serial(
  'a failed run is recorded with what the stage said; verbose shows what stages printed',
  async (t) => {
    const rig = createRig(t);
    rig.command('peco-0', 'print and throw');
    await rig.peco('run', 'experiment.ts', '--jobs', '1', '--upto', 'tokenizer/peco');
    t.snapshot(masked((await ask(rig, 'show', 'last')).stdout, rig));
    await rig.peco('run', 'experiment.ts', '--jobs', '1', '--upto', 'tokenizer/peco', '--verbose');
    const verbose = (await rig.peco('show', 'last', '--verbose')).stdout;
    t.true(verbose.includes('tokenizer/peco/seed-0  | reading 10 images'));
    t.regex(verbose, /^\s+at obey \(.*\/parts\/obey\.ts:20:\d+\)/m);
  },
);

test.serial('an interrupted run is recorded to its end', async (t) => {
  const rig = createRig(t);
  rig.command('peco-0', 'wait');
  const run = rig.start('run', 'experiment.ts', '--upto', 'tokenizer/peco');
  await rig.reached('peco-0');
  run.process.kill('SIGINT');
  await run.done;
  const { stdout } = await ask(rig, 'show', 'last');
  t.regex(
    stdout,
    /tokenizer\/peco\/seed-0 {2}interrupted; without a checkpoint, it starts again\n\ninterrupted in/,
  );
});

test.serial('a run that was killed is shown as such, with all up to then', async (t) => {
  const rig = createRig(t);
  rig.command('peco-0', 'wait deaf');
  const run = rig.start('run', 'experiment.ts', '--jobs', '1', '--upto', 'tokenizer/peco');
  await rig.reached('peco-0');
  t.regex((await ask(rig, 'show')).stdout, /running/);
  t.regex((await ask(rig, 'show', 'last')).stdout, /still running/);
  run.process.kill('SIGKILL');
  await run.done;
  fs.appendFileSync(rig.file(`.peco/runs/${runs(rig)[0]}/events.ndjson`), '{"time":"2026-01-01T');
  const { stdout, code } = await ask(rig, 'show', 'last');
  t.is(code, 0);
  t.regex(stdout, /tokenizer\/peco\/seed-0 {2}started/);
  t.regex(stdout, /\nended without a word \(killed\?\); the last that it told was at /);
  t.regex((await ask(rig, 'show')).stdout, /ended without a word \(killed\?\)/);
});

test.serial('without a place for records a run goes on, with a warning', async (t) => {
  const rig = createRig(t, {
    '.peco/peco-store.json': '{ "format": 1 }',
    '.peco/runs': 'a file where a folder should be',
  });
  const { code, stdout } = await rig.peco('run', 'experiment.ts', '--jobs', '1', '--upto', 'tokenizer/peco');
  t.is(code, 0);
  t.snapshot(masked(stdout, rig));
  t.is(JSON.parse(rig.read(`.peco/entries/${rig.entries()[0]}/manifest.json`)).provenance.run, null);
  t.is((await ask(rig, 'show')).code, 0);
});

test.serial('all about one result', async (t) => {
  const rig = createRig(t);
  await rig.peco('run', 'experiment.ts', '--upto', 'tokenizer/peco', '--engine', 'reference');
  const [key] = rig.entries();
  const { stdout, code } = await ask(rig, 'show', key!.slice(0, 6));
  t.is(code, 0);
  t.snapshot(
    masked(stdout, rig)
      .replaceAll(key!, '<key>')
      .replaceAll(/host {2}.*/g, 'host  <host>')
      .replaceAll(/\d+ MiB at most/g, '<memory>')
      .replaceAll(/peco-exp \d\S+/g, 'peco-exp <version>'),
  );
  const json = JSON.parse((await ask(rig, 'show', key!, '--json')).stdout);
  t.like(json, { key, kind: 'tokenizer/rig-tokenizer', metrics: { another: 0, score: 6 } });
  t.like(json.provenance, {
    attempts: 1,
    stage: 'tokenizer/peco/seed-0',
    config: { name: 'peco', weight: 2, steps: 3 },
  });
  t.true(Date.parse(json.provenance.ended) >= Date.parse(json.provenance.started));
  t.deepEqual(Object.keys(json.code.code).sort(), ['parts/obey.ts', 'parts/stage.ts', 'parts/tokenizer.ts']);
});

test.serial(
  'a store that the command names and that is not there is an error; a project without one is not',
  async (t) => {
    const rig = createRig(t);
    const { code, stdout, stderr } = await ask(rig, 'show', '--store', 'misspelt');
    t.deepEqual(
      [code, stdout, stderr.replaceAll(rig.dir, '<project>')],
      [2, '', 'there is no store in <project>/misspelt\n  say where it is with --store\n'],
    );
    t.is((await ask(rig, 'show')).code, 0);
  },
);

test.serial('a name that is nothing, or several things', async (t) => {
  const rig = createRig(t);
  const refused = async (...what: string[]) => {
    const { code, stdout, stderr } = await ask(rig, 'show', ...what);
    t.is(code, 2);
    t.is(stdout, '');
    return masked(stderr, rig);
  };
  const empty = await refused('last');
  for (const weight of ['1', '3']) {
    await rig.peco(
      'run',
      'experiment.ts',
      '--upto',
      'tokenizer/peco',
      '--set',
      `tokenizers.peco.weight=${weight}`,
    );
  }
  const [first] = runs(rig);
  const near = (await refused(first!.replace(/....$/, 'xxxx'))).replace(/"\S+xxxx"/, '"<wrong run>"');
  t.snapshot([empty, await refused('20'), near, await refused('quickstart'), await refused('00000')]);
});
