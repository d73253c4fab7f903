import test from 'ava';
import { compareFingerprints } from '../../../framework/plan/differences.ts';
import type { Json } from '../../../framework/stage/json.ts';
import type { Digest, Fingerprint } from '../../../framework/stage/keys.ts';

type Files = { readonly [name: string]: string };

function fingerprintOf(files: Files): Fingerprint {
  const code = 'c' as Digest;
  return {
    schema: 1,
    kind: 'tokenizer/vqvae',
    seed: 0,
    config: {},
    inputs: {},
    code,
    files: files as Fingerprint['files'] & {},
  };
}

test('files and folders that are called as what every object has are like others', (t) => {
  const documents = new Map<string, Json>([
    ['old', { format: 2, files: { toString: 1 }, folders: { constructor: 'one' } }],
    ['new', { format: 2, files: {}, folders: {} }],
    ['one', { format: 2, files: { valueOf: 1 }, folders: {} }],
  ]);
  const compare = (before: Files, after: Files) =>
    compareFingerprints(fingerprintOf(before), fingerprintOf(after), (digest) => documents.get(digest)).map(
      ({ type, path, before, after }) => [type, path, before, after],
    );
  t.deepEqual(compare({}, { constructor: 'a' }), [['data', 'constructor', undefined, 'a']]);
  t.deepEqual(compare({ root: 'new' }, { root: 'old' }), [
    ['data', 'root/toString', undefined, 1],
    ['data', 'root/constructor/valueOf', undefined, 1],
  ]);
});
