import type { Json } from '../../stage/json.ts';
import { shellWord } from '../../stage/shell.ts';
import { showValue } from '../../stage/show.ts';
import type { Problem } from '../problem.ts';
import { type Assignment, findBadName } from './path.ts';
import { repeatedIn } from './sweep.ts';

/** The values of `--sweep`, by path. */
export type SweptFlags = { readonly [path: string]: readonly Json[] };

/** `--set path=value`: the value is JSON or, where it isn't, a string. */
export function parseSet(text: string): Assignment | Problem {
  const { path, value } = split(text);
  const deep = path && findTooDeep(path, value);
  if (deep) return deep;
  if (path !== undefined) return { path, value: parseValue(value) };
  const hint =
    "write a path and a value: --set tokenizers.peco.codebook.size=1024; lists and objects are JSON in quotes: --set 'seeds=[0,1]'";
  return { path: [], message: `--set ${text} is not an assignment`, hint };
}

/** `--sweep path=a,b,c` each. */
export function parseSweep(texts: readonly string[]): {
  readonly flags: SweptFlags;
  readonly problems: readonly Problem[];
} {
  const flags: { [path: string]: readonly Json[] } = {};
  const problems: Problem[] = [];
  for (const text of texts) {
    const { path, value } = split(text);
    const deep = path && findTooDeep(path, value);
    const values = deep ? [] : parseValues(value);
    const again = repeatedIn(values);
    const bad = path && (deep ?? findBadName(path));
    if (bad) {
      problems.push({ ...bad, origin: 'sweep' });
    } else if (path === undefined || values.length === 0) {
      const hint = 'write a path and its values: --sweep tokenizers.peco.codebook.size=256,512';
      problems.push({ path: [], message: `--sweep ${text} is not a list of values`, hint, origin: 'sweep' });
    } else if (Object.hasOwn(flags, path.join('.'))) {
      problems.push({ path, message: 'is swept twice', origin: 'sweep' });
    } else if (again) {
      const message = `has ${showValue(again.value)} twice`;
      problems.push({ path, message, hint: 'give each value once', origin: 'sweep' });
    } else {
      flags[path.join('.')] = values;
    }
  }
  return { flags, problems };
}

/** No config is as deep; what is deeper would take all of the stack. */
const mostLevels = 100;

/** What is wrong with a path, or a value, of more levels than any field has. */
function findTooDeep(path: readonly string[], value: string): Problem | undefined {
  if (path.length > mostLevels)
    return {
      path: path.slice(0, 3),
      message: `goes on for ${path.length} names: at most ${mostLevels} are taken`,
    };
  const levels = levelsOf(value);
  if (levels <= mostLevels) return undefined;
  return { path, message: `its value has ${levels} levels of brackets: at most ${mostLevels} are taken` };
}

/** How deep brackets are nested, of strings too: JSON has no more levels than that. */
function levelsOf(text: string): number {
  let level = 0;
  let deepest = 0;
  for (const sign of text) {
    if (sign === '[' || sign === '{') deepest = Math.max(deepest, ++level);
    else if (sign === ']' || sign === '}') level--;
  }
  return deepest;
}

/** The path before the first `=` and the text after it; without the path if that is none. */
function split(text: string): { readonly path?: readonly string[]; readonly value: string } {
  const at = text.indexOf('=');
  const path = text.slice(0, Math.max(0, at)).trim().split('.');
  const value = text.slice(at + 1);
  return at < 1 || path.includes('') ? { value } : { path, value };
}

function parseValue(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** `256,512`, `a,b`, `["x"],["x","y"]`: JSON between commas or, where it isn't, text. */
function parseValues(text: string): readonly Json[] {
  try {
    return JSON.parse(`[${text}]`) as readonly Json[];
  } catch {
    // Commas within brackets and quotes belong to the value.
    const parts = text.match(/(?:\[[^\]]*\]|\{[^}]*\}|"(?:[^"\\]|\\.)*"|[^,])+/g) ?? [];
    return parts.map((part) => parseValue(part.trim()));
  }
}

/** How to write in a shell what a field of `--set` or `--sweep` expects, if that isn't what the shell handed over. */
export function shellHint({ path, message, hint = '', value, origin }: Problem): string | undefined {
  if ((origin !== 'set' && origin !== 'sweep') || value === undefined) return undefined;
  const write = (json: unknown) => `--${origin} ${shellWord(`${path.join('.')}=${JSON.stringify(json)}`)}`;
  const wanted = `${message} ${hint}`;
  if (/\ba list\b/.test(wanted) && !Array.isArray(value)) {
    const elements = typeof value === 'string' ? elementsOf(value) : [value];
    return `in a shell, a list is JSON in quotes: ${write(elements)}`;
  }
  if (message === 'expected a string' && typeof value !== 'object')
    return `in a shell, a string that looks like another value has quotes in quotes: ${write(String(value))}`;
  if (/\ban object\b/.test(wanted) && typeof value === 'string')
    return `in a shell, an object is JSON in quotes: ${write({ field: 1 })}; or give each field its own --${origin}`;
  return undefined;
}

/** What was probably meant by `a,b`, `[a, b]` and `['a', 'b']`. */
function elementsOf(text: string): unknown[] {
  const inner = text.trim().replace(/^\[/, '').replace(/\]$/, '');
  const parts = inner.split(',').map((part) => part.trim().replace(/^(['"])(.*)\1$/, '$2'));
  return parts.filter((part) => part !== '').map(parseValue);
}
