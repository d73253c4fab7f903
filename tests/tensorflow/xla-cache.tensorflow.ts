import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { withTensorflow } from './support/library.ts';

interface Printed {
  readonly losses: readonly number[];
  readonly weights: readonly number[];
  readonly warnings: readonly string[];
}

await withTensorflow(() => {
  test('a folder of TF_XLA_FLAGS keeps what XLA compiled; what was cut there costs XLA, not the step', async (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'peco-xla-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const script = fileURLToPath(new URL('./support/xla-cache.ts', import.meta.url));
    const train = async () => {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [`--import=${import.meta.resolve('tsx')}`, '--conditions=peco-source', script],
        { env: { ...process.env, TF_XLA_FLAGS: `--tf_xla_persistent_cache_directory=${folder}` } },
      );
      return JSON.parse(stdout.trim().split('\n').at(-1)!) as Printed;
    };
    const first = await train();
    t.deepEqual(first.warnings, []);
    const files = () => readdirSync(folder).map((name) => [name, statSync(path.join(folder, name)).mtimeMs]);
    const kept = files();
    t.is(kept.length, 1);
    t.deepEqual(await train(), first, 'the same bytes');
    t.deepEqual(files(), kept, 'nothing was compiled again');

    truncateSync(path.join(folder, String(kept[0]![0])), 1000);
    const { losses, warnings } = await train();
    t.regex(warnings.join('\n'), /^program 'probe' runs without XLA, which fails: /);
    t.true(losses.every((loss, step) => Math.abs(loss - first.losses[step]!) < 1e-5));
  });
});
