import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { openWeights } from '../../../../components/weights/open.ts';
import { toHost } from '../../../../components/weights/raw.ts';
import { oldFile, op, pickle, storage, tensor } from './support/assemble.ts';

/** Made by PyTorch: see make.py beside them. */
const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../../fixtures/torch/${name}`, import.meta.url));

interface Described {
  readonly type: string;
  readonly shape: readonly number[];
  /** Hexadecimal. */
  readonly bytes: string;
}
const expected = JSON.parse(fs.readFileSync(fixture('expected.json'), 'utf8')) as {
  readonly [state: string]: { readonly [name: string]: Described };
};

async function describe(file: string): Promise<Map<string, Described>> {
  const opened = await openWeights(file);
  const described = new Map<string, Described>();
  for (const [name, { type, shape }] of opened.tensors) {
    const raw = await opened.read(name);
    described.set(name, { type, shape, bytes: Buffer.from(raw.bytes).toString('hex') });
  }
  await opened.close();
  return described;
}

async function equals(t: ExecutionContext, file: string, state: string): Promise<void> {
  t.deepEqual(await describe(fixture(file)), new Map(Object.entries(expected[state])), file);
}

const folder = fs.mkdtempSync(path.join(tmpdir(), 'peco-torch-'));
test.after.always(() => fs.rmSync(folder, { recursive: true }));

function write(name: string, bytes: Uint8Array): string {
  const file = path.join(folder, name);
  fs.writeFileSync(file, bytes);
  return file;
}

test('every type, and every way in which a tensor lies in its storage, is read bit for bit from both formats', async (t) => {
  await equals(t, 'kinds.pth', 'kinds');
  await equals(t, 'kinds-old.pth', 'kinds');
});

test('pickles of protocols 2 to 5 are read', async (t) => {
  for (const protocol of [3, 4, 5]) await equals(t, `protocol-${protocol}.pth`, 'net');
});

test('weights are found in a checkpoint with arguments, numbers and an optimiser', async (t) => {
  for (const key of ['state_dict', 'model', 'module']) await equals(t, `checkpoint-${key}.pth`, 'net');
});

test('a whole module gives the tensors of its state by name: the encoder of DALL-E is published so', async (t) => {
  await equals(t, 'module.pth', 'net');
  await equals(t, 'dall-e.pkl', 'dall-e');
});

test('float16, bfloat16 and float64 become float32, integers int32', async (t) => {
  const opened = await openWeights(fixture('kinds.pth'));
  const read = async (name: string) => toHost(await opened.read(name));
  const doubles = new Float64Array(Buffer.from(expected.kinds['type.F64'].bytes, 'hex').buffer.slice(0));
  for (const name of ['type.F64', 'type.F32', 'type.F16', 'type.BF16'])
    t.is((await read(name)).dtype, 'float32', name);
  t.is(doubles.length > 0, true);
  t.deepEqual([...(await read('type.BOOL')).data], [1, 0, 1, 0, 1, 1]);
  t.deepEqual([...(await read('type.U8')).data], [1, 0, 1, 0, 1, 1]);
  for (const name of ['type.I64', 'type.I32', 'type.I16', 'type.I8', 'type.U8'])
    t.is((await read(name)).dtype, 'int32', name);
  await opened.close();
});

test('an ordered dict of Python 2, whose texts are bytes and whose items are pairs, is read', async (t) => {
  const pair = Buffer.concat([
    op.list(op.oldText('a.weight'), tensor(storage('17', 3), { shape: [3], stride: [1] })),
  ]);
  const value = pickle(op.global('collections', 'OrderedDict'), '(', op.list(pair), 'tR');
  const described = await describe(write('python2.pth', oldFile(value, { 17: [1, 2, 3] })));
  t.deepEqual([...described.keys()], ['a.weight']);
  t.is(described.get('a.weight')!.bytes, '0000803f0000004000004040');
});

test('a view of a storage in the old format begins where the view does', async (t) => {
  const view = op.tuple(op.text('view'), op.int(2), op.int(2));
  const value = pickle(op.dict(op.text('x'), tensor(storage('0', 4, view), { shape: [2], stride: [1] })));
  const described = await describe(write('view.pth', oldFile(value, { 0: [1, 2, 3, 4] })));
  t.is(described.get('x')!.bytes, '0000404000008040');
});
