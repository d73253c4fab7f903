import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { crc32c, formatEvents } from '../../../framework/run/record/tf-record.ts';
import { writeTensorBoard } from '../../../framework/run/tensorboard.ts';
import { hostileName } from '../../reports/formats/support.ts';
import { createProject, repository } from '../../support/project.ts';

test('the checksum is that of RFC 3720, B.4', (t) => {
  const of = (byte: (index: number) => number) => crc32c(Uint8Array.from({ length: 32 }, (_, i) => byte(i)));
  t.is(
    of(() => 0),
    0x8a9136aa,
  );
  t.is(
    of(() => 0xff),
    0x62a8ab43,
  );
  t.is(
    of((index) => index),
    0x46dd794e,
  );
  t.is(
    of((index) => 31 - index),
    0x113fdb5c,
  );
});

test('an event file has the bytes of one by TensorBoard itself', (t) => {
  // tests/fixtures/tensorboard/events.py
  const wanted = fs.readFileSync(path.join(repository, 'tests/fixtures/tensorboard/events.tfevents'));
  const events = [
    { step: 0, tag: 'tokenizer/loss', value: 2.5 },
    { step: 25, tag: 'tokenizer/loss', value: 1.25 },
    { step: 3e9, tag: 'größe/λ 😀', value: -0.1 },
    { step: 7, tag: 'bad', value: Number.NaN },
  ];
  t.deepEqual(Buffer.from(formatEvents(events, 1764000000.25)).toString('hex'), wanted.toString('hex'));
});

test('each stage with numbers is a run in a folder by its id, whatever that is', async (t) => {
  const project = createProject(t, {
    'entry/metrics.jsonl': '{"step":25,"loss":2.5,"said":"text"}\n{"step":50,"loss":"NaN"}\n',
    'entry/metrics.json': '{"engine":"onnx","metrics":{"pixel":0.5}}\n',
    'nothing/metrics.json': '{"engine":"none","metrics":{}}\n',
  });
  const stage = (id: string, dir: string | undefined) => {
    const entry = dir && { dir: project.file(dir), provenance: { ended: '2026-11-27T00:00:00.000Z' } };
    return { node: { id, component: { role: 'tokenizer' } }, ...(entry ? { entry } : {}) } as never;
  };
  const stages = [
    stage('tokenizer/peco/seed-0', 'entry'),
    stage('tokenizer/../<b>/..', 'entry'),
    stage('report', 'nothing'),
    stage('tokenizer/missing', undefined),
  ];
  const folder = project.file('events');
  const files = await writeTensorBoard(folder, stages);
  const names = files.map((file) => path.relative(folder, path.dirname(file)).split(path.sep).join('/'));
  t.is(names.length, 2);
  t.is(names[0], 'tokenizer/peco/seed-0');
  t.regex(names[1]!, /^tokenizer\/--[0-9a-f]{8}\/-b--[0-9a-f]{8}\/--[0-9a-f]{8}$/);
  const wanted = formatEvents(
    [
      { step: 25, tag: 'tokenizer/loss', value: 2.5 },
      { step: 50, tag: 'tokenizer/loss', value: Number.NaN },
      { step: 50, tag: 'tokenizer result/pixel', value: 0.5 },
    ],
    Date.UTC(2026, 10, 27) / 1000,
  );
  t.deepEqual(fs.readFileSync(files[0]!), Buffer.from(wanted));
});

test('event files of stages of any name lie in the folder, each in one of its own', async (t) => {
  const project = createProject(t, { 'entry/metrics.json': '{"metrics":{"loss":1}}' });
  const entry = { dir: project.file('entry'), provenance: {} };
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(hostileName, { minLength: 1, maxLength: 3 }), async (names) => {
      const folder = project.file('events');
      const stages = names.map((name) => ({
        node: { id: `tokenizer/${name}`, component: { role: name } },
        entry,
      }));
      const files = await writeTensorBoard(folder, stages as never);
      for (const file of files) t.true(fs.realpathSync(file).startsWith(path.join(folder, 'tokenizer')));
      t.is(new Set(files).size, names.length);
    }),
    { numRuns: 30 },
  );
});
