import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TensorflowBinding } from './binding.ts';
import { servingTag } from './graph-def.ts';
import type { Answers, Feed, Numbers, Request, RequestOf } from './messages.ts';

/** Does what requests ask for, one after the other, in the thread that has TensorFlow. */
export class Executor {
  private readonly binding: TensorflowBinding;
  /** The addon's numbers of the sessions, by ours. */
  private readonly sessions = new Map<number, number>();

  constructor(binding: TensorflowBinding) {
    this.binding = binding;
  }

  /** Throws what TensorFlow says. */
  execute(request: Request): Answers[Request['kind']] {
    if (request.kind === 'run') return this.run(request);
    if (request.kind === 'count') return this.binding.getNumOfTensors();
    if (request.kind === 'open') this.open(request);
    else this.close(request.session);
    return undefined;
  }

  private open({ session, model }: RequestOf<'open'>): void {
    const folder = mkdtempSync(path.join(tmpdir(), 'peco-tensorflow-'));
    try {
      writeFileSync(path.join(folder, 'saved_model.pb'), model);
      this.sessions.set(session, this.binding.loadSavedModel(folder, servingTag));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  private run({ session, feeds, outputs }: RequestOf<'run'>): readonly Numbers[] {
    const ids: number[] = [];
    try {
      for (const feed of feeds) ids.push(this.give(feed));
      const names = listed(feeds.map(({ name }) => name));
      const results = this.binding.runSavedModel(this.sessions.get(session)!, ids, names, listed(outputs));
      ids.push(...results.map(({ id }) => id));
      return results.map(({ id }) => this.binding.tensorDataSync(id));
    } finally {
      for (const id of ids) this.binding.deleteTensor(id);
    }
  }

  private give({ type, shape, data }: Feed): number {
    return this.binding.createTensor(shape, type, data);
  }

  private close(session: number): void {
    const own = this.sessions.get(session);
    this.sessions.delete(session);
    if (own !== undefined) this.binding.deleteSavedModel(own);
  }
}

/** The first output of each node, as TensorFlow writes it. */
function listed(nodes: readonly string[]): string {
  return nodes.map((name) => (name.includes(':') ? name : `${name}:0`)).join();
}
