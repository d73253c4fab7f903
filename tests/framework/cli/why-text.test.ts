import test from 'ava';
import { describeEntry } from '../../../framework/cli/text/why.ts';

test('a result that is compared says if a smoke run made it', (t) => {
  const [key, dir, outputs] = ['0123456789abcdef', '/store', {}];
  const started = '2026-11-26T16:15:18.000Z';
  const tell = (provenance: { readonly [field: string]: string | boolean }) =>
    describeEntry({ key, dir, outputs, provenance } as unknown as Parameters<typeof describeEntry>[0]);
  t.is(tell({ started }), '0123456789ab  made 2026-11-26 16:15 UTC');
  t.is(tell({ started, smoke: true }), '0123456789ab  made 2026-11-26 16:15 UTC by a smoke run');
});
