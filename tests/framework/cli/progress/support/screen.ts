import { stripVTControlCharacters } from 'node:util';

/** A terminal, as far as the live display uses one: lines of text, and sequences that move up or erase. */
export class Screen {
  #lines = [''];
  #row = 0;
  writes = 0;
  bytes = 0;
  hidCursor = false;

  width: number;
  height: number;

  constructor(width = 80, height = 24) {
    this.width = width;
    this.height = height;
  }

  readonly columns = () => this.width;
  readonly rows = () => this.height;

  readonly write = (text: string): void => {
    this.writes += 1;
    this.bytes += text.length;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences
    for (const piece of text.match(/\x1b\[[?0-9;]*[A-Za-z]|[\r\n]|[^\x1b\r\n]+/g) ?? []) this.#take(piece);
  };

  /** A window that is made narrower breaks the lines on it, as most terminals do. */
  resize(width: number, height: number): void {
    Object.assign(this, { width, height });
    const broken = this.#lines.map((line) => {
      const shown = [...stripVTControlCharacters(line)];
      const rows = Math.max(1, Math.ceil(shown.length / width));
      return Array.from({ length: rows }, (_, row) => shown.slice(row * width, (row + 1) * width).join(''));
    });
    this.#row = broken.slice(0, this.#row).flat().length;
    this.#lines = broken.flat();
  }

  /** What stands on it, scrolled away or not. */
  text(): string {
    return this.#lines.join('\n');
  }

  #take(piece: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences
    const up = /^\x1b\[(\d+)A$/.exec(piece);
    if (up) this.#row = Math.max(0, this.#row - Number(up[1]));
    else if (piece === '\x1b[J') this.#lines = [...this.#lines.slice(0, this.#row), ''];
    else if (piece === '\n') this.#lines[++this.#row] ??= '';
    else if (piece === '\x1b[?25l') this.hidCursor = true;
    else if (piece.endsWith('m') || !(piece.startsWith('\x1b') || piece === '\r'))
      this.#lines[this.#row] += piece;
  }
}
