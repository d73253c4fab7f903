import { EngineError } from './types.ts';

interface Disposable {
  dispose(): void;
}

/** What an engine has made and that still lives; disposing of the engine disposes of it. */
export class Owned {
  private readonly living = new Set<Disposable>();
  private ended = false;

  /** `make` gets a function that it calls when what it made is disposed of. */
  add<T extends Disposable>(make: (forget: () => void) => T): T {
    this.check();
    const made: T = make(() => this.living.delete(made));
    this.living.add(made);
    return made;
  }

  /** Throws EngineError after `dispose`. */
  check(): void {
    if (this.ended) throw new EngineError('the engine was disposed of; open another one with openEngine()');
  }

  /** Programs before the states that they work on: the other way round than they were made. */
  dispose(): void {
    this.ended = true;
    for (const each of [...this.living].toReversed()) each.dispose();
  }
}
