import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';

/** A project in a folder of its own, removed when the test ends. */
export interface Project {
  readonly dir: string;
  file(name: string): string;
  read(name: string): string;
  /** Writes files, making folders. */
  write(files: { readonly [name: string]: string }): void;
  remove(name: string): void;
  /** Replaces text in a file; the text must be there. */
  edit(name: string, from: string | RegExp, to: string): void;
}

export const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

export function createProject(t: ExecutionContext, files: { readonly [name: string]: string }): Project {
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'peco-exp-test-')));
  // A process that was killed may have children that write for a moment.
  t.teardown(() => fs.rmSync(dir, { recursive: true, force: true, maxRetries: 10 }));
  const file = (name: string) => path.join(dir, name);
  const project: Project = {
    dir,
    file,
    read: (name) => fs.readFileSync(file(name), 'utf8'),
    write(written) {
      for (const [name, text] of Object.entries(written)) {
        fs.mkdirSync(path.dirname(file(name)), { recursive: true });
        fs.writeFileSync(file(name), text);
      }
    },
    remove: (name) => fs.rmSync(file(name), { recursive: true }),
    edit(name, from, to) {
      const text = project.read(name);
      const edited = text.replace(from, to);
      if (edited === text) throw new Error(`${name} does not hold ${String(from)}`);
      fs.writeFileSync(file(name), edited);
    },
  };
  // Its own cache goes below node_modules.
  fs.mkdirSync(file('node_modules'));
  fs.symlinkSync(path.join(repository, 'node_modules/zod'), file('node_modules/zod'));
  project.write({ 'package.json': '{ "name": "fixture", "type": "module" }', ...files });
  return project;
}

/** Text without the folders of this machine and this run, for snapshots. */
export function portable(text: string, project: Project): string {
  return text.replaceAll(project.dir, '<project>').replaceAll(repository, '<repository>');
}
