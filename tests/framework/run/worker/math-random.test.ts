import { pathToFileURL } from 'node:url';
import test from 'ava';
import { refuseMathRandom } from '../../../../framework/run/worker/math-random.ts';
import { StageError } from '../../../../framework/stage/stage-error.ts';
import { createProject } from '../../../support/project.ts';

test.serial('code of a stage may not call Math.random, code of a package may', async (t) => {
  const draw = 'export const draw = () => Math.random();\n';
  const bundle = 'node_modules/.cache/bundle.mjs';
  const { file } = createProject(t, {
    [bundle]: `${draw}export const draws = () => [1].map(Math.random)[0];\n`,
    'node_modules/chance/index.mjs': draw,
  });
  const load = (name: string): Promise<{ [name: string]: () => number }> =>
    import(pathToFileURL(file(name)).href);
  const [own, ofPackage] = [await load(bundle), await load('node_modules/chance/index.mjs')];
  const undo = refuseMathRandom([file(bundle)]);
  t.teardown(undo);
  for (const draws of [own.draw!, own.draws!]) {
    const error = t.throws(draws, { instanceOf: StageError });
    t.regex(error.message, /^Math\.random draws other numbers each time/);
  }
  t.true(ofPackage.draw!() < 1);
  undo();
  t.true(own.draw!() < 1);
});
