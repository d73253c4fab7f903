import test from 'ava';
import { proveLookups } from '../framework/code/support/lookup.ts';

test('an import that leads elsewhere after an edit of any kind is noticed, in many projects', async (t) => {
  const elsewhere = await proveLookups(t, 200);
  t.true(elsewhere > 100, `the edits have to matter: ${elsewhere}`);
});
