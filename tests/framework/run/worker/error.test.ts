import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import vm from 'node:vm';
import test from 'ava';
import fc from 'fast-check';
import { describeThrown } from '../../../../framework/run/worker/error.ts';
import { openInputs } from '../../../../framework/run/worker/inputs.ts';
import { StageError } from '../../../../framework/stage/stage-error.ts';
import { repository } from '../../../support/project.ts';

test('whatever is thrown has a message', (t) => {
  const thrown = fc.oneof(
    fc.anything({ withBigInt: true, withDate: true, withMap: true }),
    fc.string().map((text) => new Error(text)),
  );
  fc.assert(
    fc.property(thrown, (value) => {
      const { message } = describeThrown(value);
      t.true(typeof message === 'string' && message.length > 0);
    }),
  );
});

test('an error that is its own cause, or part of itself, is described once', (t) => {
  const error = new AggregateError([], 'a circle');
  Object.assign(error, { errors: [error, new Error('a part')], cause: error });
  const { message, stack } = describeThrown(error);
  t.true(message.startsWith('a circle: '));
  t.is(stack!.split('AggregateError: a circle').length, 2);
});

test('of many errors three are shown and the others counted', (t) => {
  const errors = Array.from({ length: 5 }, (_, index) => new Error(`number ${index}`));
  t.is(
    describeThrown(new AggregateError(errors, 'all failed')).message,
    'all failed: number 0; number 1; number 2; and 2 more',
  );
});

test('an error of another realm is one', (t) => {
  const error: unknown = vm.runInNewContext("new TypeError('from a sandbox')");
  t.is(describeThrown(error).message, 'TypeError: from a sandbox');
});

test('the class of an error is shown where it says something: those of peco-exp do not', (t) => {
  const own = ['components', 'framework'].flatMap((room) => {
    const folder = path.join(repository, room);
    const files = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const sources = files.filter((file) => file.endsWith('.ts'));
    const texts = sources.map((file) => fs.readFileSync(path.join(folder, file), 'utf8'));
    return texts.flatMap((text) => [...text.matchAll(/ name = '(\w+Error)'/g)].map(([, name]) => name!));
  });
  t.true(own.includes('StageError') && own.length > 5);
  const named = (name: string) => Object.assign(new Error('the step is odd'), { name });
  for (const name of own) t.is(describeThrown(named(name)).message, 'the step is odd');
  t.is(describeThrown(named('RangeError')).message, 'RangeError: the step is odd');
  t.is(describeThrown(new Error('')).message, 'Error');
});

test('a full disk is named, also as the cause of another error, unless the error has a hint of its own', (t) => {
  const full = Object.assign(new Error('write failed'), { code: 'ENOSPC' });
  t.regex(describeThrown(new Error('not saved', { cause: full })).hint!, /the disk is full/);
  t.is(describeThrown(Object.assign(full, { hint: 'buy a larger one' })).hint, 'buy a larger one');
});

test('an error of a stage hands on its hint, also as the cause of another one', (t) => {
  const error = new StageError('the loss is NaN', { hint: 'lower the learning rate' });
  t.like(describeThrown(error), { message: 'the loss is NaN', hint: 'lower the learning rate' });
  const wrapped = describeThrown(new StageError('step 3', { cause: error }));
  t.like(wrapped, {
    message: 'step 3 (because of: the loss is NaN)',
    hint: 'lower the learning rate',
  });
});

test('a cause that the message has already is not told again', (t) => {
  const first = new Error('premature end\npremature end');
  const second = new StageError("can't be decoded: premature end", { cause: first });
  const third = new StageError("a.jpg: can't be decoded: premature end", { cause: second });
  t.is(describeThrown(third).message, "a.jpg: can't be decoded: premature end");
  t.is(
    describeThrown(new StageError('a.jpg is odd', { cause: second })).message,
    "a.jpg is odd (because of: can't be decoded: premature end)",
  );
});

test('a cause that the message has already but for its name is not told again', (t) => {
  const cause = new RangeError('is empty');
  t.is(describeThrown(new StageError('a.pth: is empty', { cause })).message, 'a.pth: is empty');
  t.is(
    describeThrown(new StageError('a.pth is odd', { cause })).message,
    'a.pth is odd (because of: RangeError: is empty)',
  );
});

test('an error whose message cannot be read is no second error', (t) => {
  const error = new Error('x');
  Object.defineProperty(error, 'message', {
    get: () => {
      throw new Error('no');
    },
  });
  t.is(describeThrown(error).message, 'it threw something that cannot be shown');
});

test('a load module that returns nothing is named, before what it should have returned is read', async (t) => {
  const load = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'peco-load-')), 'load.mjs');
  t.teardown(() => fs.rmSync(path.dirname(load), { recursive: true }));
  fs.writeFileSync(load, 'export const load = async () => { ({ count: 3 }); };\n');
  const descriptor = { kind: 'jpegs', config: {}, dir: '', files: {}, inputs: {}, load };
  const inputs = openInputs({ inputs: { train: 'a' }, descriptors: { a: descriptor } });
  const error = await t.throwsAsync(inputs.train!.load() as Promise<unknown>, { instanceOf: StageError });
  t.is(error.message, '`load` of kind "jpegs" returns nothing');
});
