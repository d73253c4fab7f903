import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { EventFile } from '../../../framework/run/record/event-file.ts';
import {
  crc32c,
  encodeHead,
  encodeScalar,
  formatRecords,
  type ScalarEvent,
} from '../../../framework/run/record/tf-record.ts';
import { writeTensorBoard } from '../../../framework/run/tensorboard.ts';
import { hostileName } from '../../reports/formats/support.ts';
import { createProject, repository } from '../../support/project.ts';

const wallTime = 1764000000.25;

function formatEvents(events: readonly ScalarEvent[], seconds: number, restarts = false): Buffer {
  const encoded = events.map((event) => encodeScalar(event, seconds));
  return Buffer.from(formatRecords([...encodeHead(seconds, restarts), ...encoded]));
}

/** By tests/fixtures/tensorboard/events.py. */
function fixture(name: string): Buffer {
  return fs.readFileSync(path.join(repository, 'tests/fixtures/tensorboard', name));
}

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

const scalars: readonly ScalarEvent[] = [
  { step: 0, tag: 'tokenizer/loss', value: 2.5 },
  { step: 25, tag: 'tokenizer/loss', value: 1.25 },
  { step: 50, tag: 'tokenizer/loss', value: 0 },
  { step: 3e9, tag: 'größe/λ 😀', value: -0.1 },
  { step: 7, tag: 'bad', value: Number.NaN },
];

test('an event file has the bytes of one by TensorBoard itself, also one after a restart', (t) => {
  t.is(formatEvents(scalars, wallTime).toString('hex'), fixture('events.tfevents').toString('hex'));
  t.is(formatEvents(scalars, wallTime, true).toString('hex'), fixture('restart.tfevents').toString('hex'));
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
  t.deepEqual(fs.readFileSync(files[0]!), wanted);
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

/** A curve of so many steps, each written a second after the one before. */
function curve(values: readonly number[], since = wallTime): Uint8Array[] {
  return values.map((value, step) => encodeScalar({ step, tag: 'loss', value }, since + step));
}

/** Names and bytes of the files in a folder. */
function filesIn(folder: string): { readonly [name: string]: string } {
  const names = fs.readdirSync(folder).sort();
  return Object.fromEntries(names.map((name) => [name, fs.readFileSync(path.join(folder, name), 'hex')]));
}

const hex = (events: readonly Uint8Array[], restarts = false) =>
  Buffer.from(formatRecords([...encodeHead(wallTime, restarts), ...events])).toString('hex');
const first = 'events.out.tfevents.peco-exp';
const second = `${first}.000001`;

test('a curve grows in its file, by this process or the next, and keeps the times of its points', async (t) => {
  const folder = createProject(t, {}).file('events/loss');
  const file = await EventFile.open(folder);
  t.is(file.path, undefined);
  await file.extend(curve([3, 2]));
  t.deepEqual(filesIn(folder), { [first]: hex(curve([3, 2])) });
  await file.extend(curve([3, 2, 1]));
  // A training that was resumed says less for a while, then the same again.
  for (const again of [[3], [3, 2], [3, 2, 1]]) await file.extend(curve(again, 1));
  t.deepEqual(filesIn(folder), { [first]: hex(curve([3, 2, 1])) });
  const next = await EventFile.open(folder);
  await next.finish([...curve([3, 2, 1], 1), ...curve([0.5], wallTime + 9)]);
  t.deepEqual(filesIn(folder), { [first]: hex([...curve([3, 2, 1]), ...curve([0.5], wallTime + 9)]) });
  t.is(next.path, path.join(folder, first));
});

test('another curve takes the place of what was there by a later file, and keeps what they share', async (t) => {
  const folder = createProject(t, {}).file('events');
  await (await EventFile.open(folder)).extend(curve([3, 2, 1]));
  const other = await EventFile.open(folder);
  await other.extend([...curve([3], 1), ...curve([5, 5], wallTime + 7).slice(1)]);
  const wanted = [...curve([3]), ...curve([5, 5], wallTime + 7).slice(1)];
  t.deepEqual(filesIn(folder), { [first]: '', [second]: hex(wanted, true) });
  t.is(other.path, path.join(folder, second));
  // One that ends earlier.
  await other.finish(curve([3]));
  t.deepEqual(filesIn(folder), { [first]: '', [second]: '', [`${first}.000002`]: hex(curve([3]), true) });
});

test('nothing is appended to half a record, nor to what a user changed', async (t) => {
  const folder = createProject(t, {}).file('events');
  const file = await EventFile.open(folder);
  await file.extend(curve([3, 2]));
  const bytes = fs.readFileSync(file.path!);
  for (const torn of [1, 20, bytes.length - 1]) {
    fs.rmSync(folder, { recursive: true });
    fs.mkdirSync(folder);
    fs.writeFileSync(path.join(folder, first), bytes.subarray(0, torn));
    await (await EventFile.open(folder)).extend(curve([3, 2, 1]));
    t.deepEqual(filesIn(folder), { [first]: '', [second]: hex(curve([3, 2, 1]), true) });
  }
  fs.rmSync(folder, { recursive: true });
  await file.extend(curve([3, 2, 1]));
  t.deepEqual(filesIn(folder), { [first]: hex(curve([3, 2, 1])) });
  fs.truncateSync(file.path!, 50);
  await file.extend(curve([3, 2, 1, 0]));
  t.deepEqual(filesIn(folder), { [first]: '', [second]: hex(curve([3, 2, 1, 0]), true) });
});

test('what a process that was killed has not emptied is emptied', async (t) => {
  const folder = createProject(t, {}).file('events');
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, first), formatRecords([...encodeHead(wallTime, false), ...curve([9])]));
  fs.writeFileSync(path.join(folder, second), formatRecords([...encodeHead(wallTime, true), ...curve([3])]));
  await (await EventFile.open(folder)).extend(curve([3, 2]));
  t.deepEqual(filesIn(folder), { [first]: '', [second]: hex(curve([3, 2]), true) });
});
