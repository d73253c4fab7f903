import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { mapStack, placesIn } from '../../../framework/code/frames.ts';

test('places of a bundle are those of its sources, by a map written by hand; all else of a stack stays', (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'frames '));
  t.teardown(() => fs.rmSync(dir, { recursive: true }));
  const bundle = path.join(dir, 'a.mjs');
  const without = path.join(dir, 'no-map.mjs');
  // AAEE: from the first column on, the third line and column of the first source.
  const map = { version: 3, sources: ['/p/parts/$&.ts'], names: [], mappings: 'AAEE' };
  fs.writeFileSync(`${bundle}.map`, JSON.stringify(map));
  const stackOf = (first: string, second: string) =>
    [
      'Error: bad image',
      `    at obey (${first})`,
      `    at async ${second}`,
      '    at async runJob (file:///dist/worker.js:5:1)',
      `    at load (${without}:1:1)`,
    ].join('\n');
  const bundles = new Set([bundle, without]);
  const url = new URL(`file://${bundle}`).href;
  const stack = stackOf(`${url}?1a:1:1`, `${bundle}:1:1`);
  const mapped = stackOf('/p/parts/$&.ts:3:3', '/p/parts/$&.ts:3:3');
  t.is(mapStack(stack, bundles), mapped);
  t.is(mapStack(mapped, bundles), mapped, 'also where Node has done so already');
  t.deepEqual(
    [...placesIn(stack, bundles)].map(({ file, line, column }) => [file, line, column]),
    [
      ['/p/parts/$&.ts', 3, 3],
      ['/p/parts/$&.ts', 3, 3],
      ['/dist/worker.js', 5, 1],
    ],
  );
});
