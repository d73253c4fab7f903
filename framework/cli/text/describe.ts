import type { FieldDescription } from '../../stage/fields.ts';
import { roles } from '../../stage/roles.ts';
import type { ComponentDescription } from '../components.ts';
import { type Look, paint } from './look.ts';
import { cutToWidth, wrapWords } from './width.ts';

/** Of prose, where there is no terminal. */
const usualColumns = 100;

/** Which components there are, by role, with the first sentence of each. */
export function formatComponents(all: readonly ComponentDescription[], look: Look): string[] {
  const { columns = Number.POSITIVE_INFINITY } = look;
  const width = Math.max(0, ...all.map(({ name }) => name.length));
  const parts = groupByRole(all).map(([title, group]) => [
    paint(title, 'bold', look),
    ...group.map(({ name, doc = '' }) =>
      cutToWidth(`  ${name.padEnd(width)}  ${firstSentence(doc)}`, columns).trimEnd(),
    ),
  ]);
  return [...parts.flatMap((lines) => [...lines, '']), 'peco-exp describe NAME shows the fields of one'];
}

/** A component: what it is, and a paragraph for each field. */
export function formatComponent(described: ComponentDescription, look: Look): string[] {
  const { name, role, kind, doc, fields } = described;
  const { columns = usualColumns } = look;
  const paragraphs = doc === undefined ? [] : doc.split('\n\n').map((one) => wrapWords(one, columns));
  return [
    paint(`${name}, a ${role} of kind ${kind}`, 'bold', look),
    ...paragraphs.flatMap((lines) => ['', ...lines]),
    ...(fields.length === 0 ? ['', 'it has no fields'] : ['']),
    ...fields.flatMap((field) => formatField(field, look, columns)),
  ];
}

function formatField(field: FieldDescription, look: Look, columns: number): string[] {
  const { path, doc, type, default: value } = field;
  const isLong = Array.isArray(value) && JSON.stringify(value).length > longestDefault;
  const short = isLong ? `${type}, by default:` : describeValue(field);
  const [first, ...others] = wrapWords(`${path}: ${short}`, columns - 2, '    ');
  const more = [...others, ...(isLong ? value.map((one) => `    ${JSON.stringify(one)}`) : [])];
  const text = doc === undefined ? [] : wrapWords(doc.replaceAll('\n\n', ' '), columns - 6);
  return [
    `  ${paint(path, 'cyan', look)}${first!.slice(path.length)}`,
    ...more.map((line) => `  ${line}`),
    ...text.map((line) => `      ${line}`),
  ];
}

/** Of a list in one line; of longer ones each element has a line. */
const longestDefault = 60;

/** `a whole number of at least 2, 256 by default`. */
export function describeValue({ type, required, default: value }: FieldDescription): string {
  if (value !== undefined) return `${type}, ${JSON.stringify(value)} by default`;
  return required ? `${type}, required` : `${type}, may be left out`;
}

/** `docs/reference/components.md`: the same as a page. */
export function componentsPage(all: readonly ComponentDescription[]): string {
  const parts = groupByRole(all).map(([title, group]) =>
    [`## ${title}`, ...group.map(componentSection)].join('\n\n'),
  );
  return `${[...head, ...parts].join('\n\n')}\n`;
}

const head = [
  '# Components',
  'The constructors that `peco-exp` exports, with the fields of their configs. Written by\n`node bin/docs.mjs` from schemas and comments; `peco-exp describe NAME` prints the same of one of\nthem, and `peco-exp describe FILE` that of your own.',
];

function componentSection({ name, kind, doc, fields }: ComponentDescription): string {
  const paragraphs = (doc ?? '')
    .split('\n\n')
    .map((one) => wrapWords(escapeMarkdown(one), usualColumns).join('\n'));
  const rows = fields.map(({ path, type, required, default: value, doc: text = '' }) =>
    [
      `\`${path}\``,
      escapeMarkdown(type),
      value === undefined ? (required ? 'required' : '–') : `\`${JSON.stringify(value)}\``,
      escapeMarkdown(text.replaceAll('\n\n', ' ')),
    ].map((cell) => cell.replaceAll('|', '\\|')),
  );
  const table = [['field', 'value', 'default', 'what it is'], ['---', '---', '---', '---'], ...rows];
  return [
    `### ${name}`,
    `Kind \`${kind}\`.`,
    ...paragraphs.filter((one) => one !== ''),
    ...(rows.length === 0
      ? ['It has no fields.']
      : [table.map((row) => `| ${row.join(' | ')} |`).join('\n')]),
  ].join('\n\n');
}

/** Comments are plain text, with code between backticks. */
function escapeMarkdown(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replaceAll(/[<>*_[\]]/g, '\\$&')))
    .join('');
}

function groupByRole(all: readonly ComponentDescription[]): [string, ComponentDescription[]][] {
  return Object.entries(roles).flatMap(([role, { plural }]): [string, ComponentDescription[]][] => {
    const group = all.filter((one) => one.role === role);
    const title = plural.charAt(0).toUpperCase() + plural.slice(1);
    return group.length === 0 ? [] : [[title, group]];
  });
}

/** Not up to the point of `et al.`, nor that of a number. */
function firstSentence(doc: string): string {
  const [paragraph = ''] = doc.split('\n');
  return /^(.*?)(?<!\bal)\.(?= [A-Z]|$)/.exec(paragraph)?.[1] ?? paragraph;
}
