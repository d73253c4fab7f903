import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { refusePlatform, thisPlatform } from '../../components/engine/tensorflow/provision/platform.ts';
import { createProject, repository } from '../support/project.ts';

/** Downloads 274 MB and needs pip and g++. */
const provisioned = refusePlatform(thisPlatform()) === undefined ? test : test.skip;

provisioned(
  'TensorFlow is provisioned by one command, doctor says that it trains, a second call downloads nothing',
  async (t) => {
    const project = createProject(t, {});
    const env = { ...process.env, PECO_TENSORFLOW: project.file('library') };
    const peco = async (...args: readonly string[]) => {
      const script = path.join(repository, 'bin/peco-exp.js');
      const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], {
        cwd: project.dir,
        env,
      });
      return stdout;
    };
    t.regex(
      await peco('provision', 'tensorflow', '--yes'),
      /TensorFlow 2\.21\.0 is ready in .*: it computes on/,
    );
    t.false(fs.existsSync(project.file('library/downloads')));
    const { engines } = JSON.parse(await peco('doctor', '--json'));
    const report = engines.find(({ engine }: { readonly engine: string }) => engine === 'tensorflow');
    t.like(report, { works: true }, JSON.stringify(report));
    t.true(report.difference < 1e-5);
    t.true(
      report.notes.some((note: string) => note.startsWith('XLA: compiles')),
      report.notes.join('\n'),
    );
    const started = Date.now();
    t.regex(await peco('provision', 'tensorflow', '--yes'), /^loading it\nTensorFlow 2\.21\.0 is ready/);
    t.log(`again: ${Date.now() - started} ms`);
  },
);
