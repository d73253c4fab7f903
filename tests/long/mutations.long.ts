import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { countRead } from '../components/weights/torch/support/mutate.ts';

test('10,000 files with random changes give tensors or one error that names the file, and run nothing', async (t) => {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'peco-mutations-'));
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  const many = 10_000;
  const read = await countRead(path.join(folder, 'x.pth'), 0, many);
  t.log(`${read} of ${many} were read, ${many - read} refused`);
  t.true(read > 0 && read < many);
  t.deepEqual(fs.readdirSync(folder), ['x.pth']);
});
