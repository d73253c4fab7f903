import test from 'ava';
import type { StageJob } from '../../../../framework/run/executors/executor.ts';
import { localExecutor } from '../../../../framework/run/executors/local.ts';
import { createProject } from '../../../support/project.ts';

test.serial(
  'the process of a stage decodes images with as many threads as the stage may use, at least four',
  async (t) => {
    const project = createProject(t, {
      'worker.js': `
      process.on('message', () => {
        console.log(process.env.UV_THREADPOOL_SIZE);
        process.send({ type: 'done', images: 0 }, () => process.disconnect());
      });
    `,
    });
    const run = localExecutor(project.file('worker.js'), {
      sourceMaps: false,
      root: project.dir,
      cwd: project.dir,
    });
    const poolOf = async (threads: number) => {
      const lines: string[] = [];
      const { signal } = new AbortController();
      const job = { stage: 'a', engine: { name: 'onnx', threads } } as StageJob;
      const onOutput = (_: string, line: string) => lines.push(line);
      await run(job, { stop: signal, kill: signal, onOutput, onProgress: () => {}, onWarning: () => {} });
      return lines;
    };
    t.deepEqual(await poolOf(2), ['4']);
    t.deepEqual(await poolOf(16), ['16']);
    process.env.UV_THREADPOOL_SIZE = '7';
    t.teardown(() => delete process.env.UV_THREADPOOL_SIZE);
    // Who sets it means it.
    t.deepEqual(await poolOf(16), ['7']);
  },
);
