import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {
  checkpointFolder,
  findResumePoint,
  formatResumePoint,
} from '../../../../framework/run/worker/resume.ts';
import { writeState } from '../../../../framework/run/worker/state-folder.ts';
import { createProject } from '../../../support/project.ts';

test('a stage resumes at its newest whole checkpoint, whichever engine saved it', async (t) => {
  const { dir } = createProject(t, {});
  const folder = checkpointFolder(dir, 'onnx');
  const save = (step: number) =>
    writeState(path.join(folder, `step-${step}`), { step, of: 400, seconds: 1, history: '' }, (data) =>
      fs.writeFileSync(path.join(data, 'weights'), 'abc'),
    );
  t.is(await findResumePoint(dir, 'onnx'), undefined, 'nothing was saved');
  await save(90);
  await save(110);
  t.deepEqual(await findResumePoint(dir, 'onnx'), { step: 110, of: 400 });
  t.deepEqual(await findResumePoint(dir, 'reference'), { step: 110, of: 400, engine: 'onnx' });

  // As many bytes as before.
  fs.writeFileSync(path.join(folder, 'step-110/data/weights'), 'abd');
  t.deepEqual(await findResumePoint(dir, 'onnx'), { step: 90, of: 400 });
  fs.rmSync(path.join(folder, 'step-90/manifest.json'));
  t.is(await findResumePoint(dir, 'onnx'), undefined);
  t.deepEqual(fs.readdirSync(folder).sort(), ['step-110', 'step-90'], 'looking changes nothing');
});

test('the length of a training is left out where it is not known', (t) => {
  t.deepEqual([{ step: 7, of: 9 }, { step: 7 }, { step: 7, of: 9, engine: 'onnx' }].map(formatResumePoint), [
    'step 7 of 9',
    'step 7',
    'step 7 of 9 (computed by onnx)',
  ]);
});
