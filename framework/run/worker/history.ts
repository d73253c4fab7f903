import fs from 'node:fs';

/** A stage's `metrics.jsonl`, which is made at the first line. */
export interface History {
  /** Synchronously: a stage that dies keeps its history up to then, and the order is that of the calls. */
  append(line: string): void;
  /** Everything so far. */
  read(): string;
  /** Forgets what there is for this. */
  replace(text: string): void;
  close(): void;
}

export function openHistory(file: string): History {
  let handle: number | undefined;
  const close = (): void => {
    if (handle !== undefined) fs.closeSync(handle);
    handle = undefined;
  };
  return {
    append(line) {
      handle ??= fs.openSync(file, 'a');
      fs.writeSync(handle, line);
    },
    read: () => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : ''),
    replace(text) {
      close();
      if (text === '') fs.rmSync(file, { force: true });
      else fs.writeFileSync(file, text);
    },
    close,
  };
}
