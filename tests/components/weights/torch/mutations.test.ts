import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { countRead } from './support/mutate.ts';

// 10,000 of them: tests/long/mutations.long.ts.
test('a file with random changes gives tensors or one error that names it', async (t) => {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'peco-mutations-'));
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  const read = await countRead(path.join(folder, 'x.pth'), 0, 300);
  t.true(read > 0 && read < 300, `${read} were read`);
});
