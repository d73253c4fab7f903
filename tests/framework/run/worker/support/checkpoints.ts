import fs from 'node:fs';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { StageCheckpoints } from '../../../../../framework/run/worker/checkpoints.ts';
import { openHistory } from '../../../../../framework/run/worker/history.ts';
import { digestJson } from '../../../../../framework/stage/canonical.ts';
import type { JsonObject } from '../../../../../framework/stage/json.ts';
import { createProject } from '../../../../support/project.ts';

/** A stage's folders, and a clock that the test moves. */
export function createStage(t: ExecutionContext) {
  const project = createProject(t, { 'work/x': '', 'out/x': '' });
  const clock = { seconds: 1000 };
  const warnings: string[] = [];
  /** Begins an attempt, as another process would. */
  function open(options: { engine?: string; interval?: number; out?: string; previous?: string } = {}) {
    const { engine = 'onnx', interval = 30, out = 'out', previous } = options;
    fs.mkdirSync(project.file(out), { recursive: true });
    fs.rmSync(project.file(`${out}/metrics.jsonl`), { force: true });
    const history = openHistory(project.file(`${out}/metrics.jsonl`));
    const opened = new StageCheckpoints({
      workDir: project.file('work'),
      outDir: project.file(out),
      engine,
      previousDir: previous === undefined ? undefined : project.file(previous),
      history,
      interval,
      now: () => clock.seconds,
      onWarning: (message) => warnings.push(message.replaceAll(project.dir, '<project>')),
    });
    return Object.assign(opened, { history });
  }
  const folder = 'work/checkpoints/onnx';
  const names = () => fs.readdirSync(project.file(folder)).sort();
  return { project, clock, warnings, open, names, folder };
}

/** A state of two files that tells its step. */
export function stateOf(step: number) {
  return (dir: string) => {
    fs.writeFileSync(path.join(dir, 'weights.bin'), `weights of ${step} `.repeat(100));
    fs.mkdirSync(path.join(dir, 'more'));
    fs.writeFileSync(path.join(dir, 'more/moments.bin'), `moments of ${step}`);
  };
}

export function readWeights(dir: string): string {
  return fs.readFileSync(path.join(dir, 'weights.bin'), 'utf8').slice(0, 'weights of 1'.length);
}

/** Whole as such: with the digest that it then has. */
export function rewriteManifest(dir: string, change: (manifest: JsonObject) => unknown): void {
  const file = path.join(dir, 'manifest.json');
  const { manifest } = JSON.parse(fs.readFileSync(file, 'utf8')) as { manifest: JsonObject };
  const changed = change(manifest) as JsonObject;
  fs.writeFileSync(file, JSON.stringify({ manifest: changed, sha256: digestJson(changed) }));
}
