import { StageError } from '../../../framework/stage/stage-error.ts';

/** An element of a list of a JSON object: its bytes, which are another element's after the next call, and where they begin. */
export interface ListElement {
  readonly list: string;
  /** Its place in the list. */
  readonly index: number;
  /** In the file, in bytes. */
  readonly start: number;
  readonly length: number;
  /** @throws BadJson that names the element, if it is no JSON */
  parse(): unknown;
}

/** That a file is no such JSON: where, and why. The message doesn't name the file. */
export class BadJson extends StageError {}

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];

/**
 * Goes through a file that is a JSON object, of which some fields are long lists, and holds one part of the file at a time.
 * Other fields are passed over.
 *
 * @param parts the bytes of the file, one part after the other; a part may be used again once the next one is asked for
 * @param lists the fields whose elements are wanted
 * @returns the names of all fields
 * @throws BadJson if the file is none, if it ends too soon, or if a field of `lists` is no list
 */
export function readLists(
  parts: Iterable<Uint8Array>,
  lists: readonly string[],
  onElement: (element: ListElement) => void,
): readonly string[] {
  const scan = openScan(parts);
  const names: string[] = [];
  if (scan.first() !== openBrace) throw otherFile(scan.ahead()) ?? scan.no('object: it should begin with {');
  scan.skip();
  for (let isFirst = true; scan.first() !== closeBrace; isFirst = false) {
    if (!isFirst) scan.expect(comma, `, or } after \`${names.at(-1)}\``);
    const name = String(scan.value('a field').parse());
    names.push(name);
    scan.expect(colon, `: after "${name}"`);
    if (lists.includes(name)) readList(scan, name, onElement);
    else scan.value(`\`${name}\``, false);
  }
  scan.skip();
  if (scan.ends()) return names;
  throw scan.no('object: there is more behind its end');
}

function readList(scan: Scan, list: string, onElement: (element: ListElement) => void): void {
  scan.expect(openBracket, `a list of ${list}`);
  for (let index = 0; scan.first(`\`${list}\``) !== closeBracket; index++) {
    const where = `\`${list}\`, element ${index}`;
    if (index > 0) scan.expect(comma, `, or ] before ${where}`);
    onElement({ list, index, ...scan.value(where) });
  }
  scan.skip();
}

type Value = Omit<ListElement, 'list' | 'index'>;

interface Scan {
  /** The next byte that is no white space, which stays the next one. */
  first(where?: string): number;
  /** Goes past that byte. */
  skip(): void;
  expect(byte: number, what: string): void;
  /** The next bytes, as far as they are in memory. */
  ahead(): Uint8Array;
  /** Whether nothing but white space is left. */
  ends(): boolean;
  /** Goes past a value; can be parsed if it is wanted `whole`, as it is unless said. */
  value(where: string, whole?: boolean): Value;
  no(what: string): BadJson;
}

function openScan(parts: Iterable<Uint8Array>): Scan {
  const source = parts[Symbol.iterator]();
  let buffer = Buffer.alloc(0);
  /** Where the buffer begins in the file, and the next byte in the buffer. */
  let [base, at] = [0, 0];

  /** Has more bytes behind those from `keep` on, which then is at the buffer's begin; false at the end of the file. */
  const refill = (keep: number): boolean => {
    const { value, done } = source.next();
    if (done === true) return false;
    base += keep;
    // A part of their own: what is kept is as long as one element, and a part may be used again.
    buffer = Buffer.concat([buffer.subarray(keep), value]);
    at -= keep;
    return true;
  };
  // A byte order mark is passed over.
  while (buffer.length < 3 && refill(0));
  if (buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf) at = 3;
  const next = (): number | undefined => {
    for (;;) {
      for (; at < buffer.length; at++) {
        const byte = buffer[at]!;
        if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
      }
      if (!refill(at)) return undefined;
    }
  };
  const place = (): string => `byte ${(base + at).toLocaleString('en-US')}`;
  const cut = (where: string): BadJson =>
    new BadJson(`ends in ${where}, at ${place()}: its end is missing`, {
      hint: 'download or copy it again',
    });
  const no = (what: string): BadJson => new BadJson(`is no JSON ${what} (${place()})`);

  function first(where = 'the middle'): number {
    const byte = next();
    if (byte === undefined) throw base + at === 0 ? new BadJson('is empty') : cut(where);
    return byte;
  }

  /** @param whole whether all bytes of the value are wanted: otherwise those that were gone past are let go */
  function value(where: string, whole = true): Value {
    const begin = first(where);
    if (begin === closeBrace || begin === closeBracket || begin === comma || begin === colon)
      throw new BadJson(`is no JSON: ${where} is missing (${place()})`, {
        hint: 'after a comma comes a value; a comma in front of } or ] is one too many',
      });
    let start = at;
    let depth = 0;
    let inString = false;
    let isOpen = true;
    while (isOpen) {
      if (at >= buffer.length) {
        const keep = whole ? start : buffer.length;
        start -= keep;
        // Numbers and words may end with a file, but none does at the top of an object.
        if (!refill(keep)) throw cut(where);
        if (isBare(begin) && endsBare(buffer[at])) break;
      }
      // Nearly all of a file goes through here: variables of its own are faster.
      const bytes = buffer;
      let here = at;
      while (isOpen && here < bytes.length) {
        const byte = bytes[here++]!;
        if (byte === quote) inString = !inString;
        else if (inString) here += byte === backslash ? 1 : 0;
        else if (byte === openBrace || byte === openBracket) depth += 1;
        else if (byte === closeBrace || byte === closeBracket) depth -= 1;
        else if (depth > 0) continue;
        if (depth > 0 || inString) continue;
        isOpen = isBare(begin) && !endsBare(bytes[here]);
      }
      at = here;
    }
    const [from, to] = [start, at];
    return {
      ...{ start: base + from, length: to - from },
      parse() {
        const text = buffer.toString('utf8', from, to);
        try {
          return JSON.parse(text);
        } catch (cause) {
          throw explain(where, text, cause as Error);
        }
      },
    };
  }

  return {
    ...{ first, value, no },
    skip: () => void at++,
    ahead: () => buffer.subarray(at),
    ends: () => next() === undefined,
    expect(byte, what) {
      if (first() !== byte) throw no(`of this form: expected ${what}`);
      at += 1;
    },
  };
}

/** What a file is that begins otherwise than an object. */
function otherFile([first, second]: Uint8Array): BadJson | undefined {
  const unpack = { hint: 'unpack it, and give the file in it' };
  if (first === 0x1f && second === 0x8b) return new BadJson('is compressed by gzip', unpack);
  if (first === 0x50 && second === 0x4b) return new BadJson('is a ZIP archive', unpack);
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    return new BadJson('is written in UTF-16', { hint: 'write it in UTF-8' });
  if (first === openBracket)
    return new BadJson('is a JSON list, not an object with lists', {
      hint: 'results of detectors are such lists',
    });
  return undefined;
}

/** A number, true, false or null. */
function isBare(begin: number): boolean {
  return begin !== quote && begin !== openBrace && begin !== openBracket;
}

function endsBare(byte: number | undefined): boolean {
  return (
    byte === comma || byte === closeBrace || byte === closeBracket || (byte !== undefined && byte <= 0x20)
  );
}

function explain(where: string, text: string, cause: Error): BadJson {
  const number = /-?\b(NaN|Infinity)\b/.exec(text)?.[0];
  if (number === undefined) return new BadJson(`is no JSON in ${where}`, { cause });
  return new BadJson(`has ${number} in ${where}: JSON has no such number`, {
    cause,
    hint: "Python's `json.dump(..., allow_nan=False)` says where it comes from",
  });
}
