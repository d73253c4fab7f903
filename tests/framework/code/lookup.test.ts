import test from 'ava';
import { proveLookups } from './support/lookup.ts';

test('an import that leads elsewhere after an edit of any kind is noticed by what was noted', async (t) => {
  const elsewhere = await proveLookups(t, 15);
  t.true(elsewhere > 10, `the edits have to matter: ${elsewhere}`);
});
