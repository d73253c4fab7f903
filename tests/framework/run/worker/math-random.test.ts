import { pathToFileURL } from 'node:url';
import test from 'ava';
import { refuseMathRandom } from '../../../../framework/run/worker/math-random.ts';
import { StageError } from '../../../../framework/stage/stage-error.ts';
import { createProject } from '../../../support/project.ts';

test.serial('code of a stage may not call Math.random, code of a package may', async (t) => {
  const draw = 'export const draw = () => Math.random();\n';
  const { file } = createProject(t, {
    'stage.mjs': draw,
    'node_modules/chance/index.mjs': draw,
    // Where bundles are kept.
    'node_modules/.cache/bundle.mjs': draw,
  });
  const drawOf = async (name: string) =>
    ((await import(pathToFileURL(file(name)).href)) as { draw: () => number }).draw;
  const [own, bundled, ofPackage] = await Promise.all(
    ['stage.mjs', 'node_modules/.cache/bundle.mjs', 'node_modules/chance/index.mjs'].map(drawOf),
  );
  const undo = refuseMathRandom([file('node_modules/.cache/bundle.mjs')]);
  t.teardown(undo);
  for (const draws of [own!, bundled!, () => [1].map(Math.random)]) {
    const error = t.throws(draws, { instanceOf: StageError });
    t.regex(error.message, /^Math\.random draws other numbers each time/);
  }
  t.true(ofPackage!() < 1);
  undo();
  t.true(own!() < 1);
});
