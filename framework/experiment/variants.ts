import { canonicalJson } from '../stage/canonical.ts';
import type { Component } from '../stage/component.ts';
import type { Json } from '../stage/json.ts';
import { type Assignment, replaceAll } from './changes/assign.ts';
import { pointsOf } from './changes/halving.ts';
import type { Point } from './changes/sweep.ts';
import type { Experiment } from './types.ts';

/** A field that a sweep changes in a row. */
export interface SweptField {
  readonly path: string;
  /** Path of the component that it belongs to: `tokenizers.peco`. */
  readonly component: string;
  /** `size=512`: the shortest end of the path that says which of the row's swept fields it is, and the value. */
  readonly label: string;
  readonly value: Json;
}

/** A row of the table with the components that make it. */
export interface Variant {
  /** `peco`, `peco/long`, `scratch`; with swept fields `peco@size=512,dim=16`. */
  readonly name: string;
  /** The swept fields that concern this row. */
  readonly fields: readonly SweptField[];
  /** The row that it is compared with: of the same point if the sweep changes the baseline; null if that is several. */
  readonly baseline: string | null;
  /** Absent in the row `scratch`. */
  readonly tokenizer?: { readonly name: string; readonly component: Component };
  readonly pretraining?: { readonly name: string; readonly component: Component };
  readonly data: Experiment['data'];
  readonly evaluation?: Component;
  readonly downstream: { readonly [task: string]: Component | undefined };
}

/** A row as declared, before a sweep makes several of it. */
interface Row {
  readonly name: string;
  readonly tokenizer?: string;
  readonly pretraining?: string;
}

const listed = new WeakMap<Experiment, readonly Variant[]>();

/** The rows of a valid experiment in the order of the table. */
export function listVariants(experiment: Experiment): readonly Variant[] {
  const known = listed.get(experiment) ?? makeVariants(experiment);
  listed.set(experiment, known);
  return known;
}

function makeVariants(experiment: Experiment): readonly Variant[] {
  const points = pointsOf(experiment.sweep);
  const texts = points.map((point) => new Map(Object.entries(point).map(([k, v]) => [k, canonicalJson(v)])));
  const paths = [...new Set(points.flatMap((point) => Object.keys(point)))];
  const rebuild = createRebuilder();
  const rows = listRows(experiment);
  const baseline = rows.find(({ name }) => name === baselineName(experiment))!;
  const families = rows.map((row) => spread(row, points, texts, paths));
  const compared = families[rows.indexOf(baseline)]!;
  return families.flatMap(({ row, members }) =>
    members.map(({ name, fields, points: own }): Variant => {
      const baselines = row === baseline ? [name] : new Set(own.map((point) => compared.nameAt[point]!));
      const [only, ...others] = baselines;
      return {
        name,
        fields,
        baseline: others.length === 0 ? only! : null,
        ...componentsOf(experiment, row, (path, component) => rebuild(path, component, fields)),
      };
    }),
  );
}

/** `@size=512,dim=16` of the swept fields of these components; nothing if there are none. */
export function tagOf(variant: Variant, components: readonly string[]): string {
  const labels = variant.fields
    .filter(({ component }) => components.includes(component) || component.startsWith('data.'))
    .map(({ label }) => label);
  return labels.length === 0 ? '' : `@${labels.join(',')}`;
}

/** The baseline's row; where every tokenizer has several rows, that of the first pretraining. */
export function baselineName(experiment: Experiment): string {
  const { baseline } = experiment;
  if (baseline === 'scratch') return baseline;
  return rowName(experiment, baseline, Object.keys(experiment.pretraining)[0]!);
}

/** Path of the component that a swept path leads into; undefined if it leads into none. */
export function componentOf(path: readonly string[]): string | undefined {
  const depth = { evaluation: 1, data: 2, tokenizers: 2, pretraining: 2, downstream: 2, scratch: 3 }[
    path[0]!
  ];
  return depth === undefined || path.length <= depth ? undefined : path.slice(0, depth).join('.');
}

/** Makes components with swept values, each only once. */
export function createRebuilder() {
  const made = new Map<string, Component>();
  return <C extends Component>(
    path: string,
    component: C,
    fields: readonly Omit<SweptField, 'label'>[],
  ): C => {
    const own = fields.filter((field) => field.component === path);
    if (own.length === 0) return component;
    const id = `${path} ${canonicalJson(own.map((field) => [field.path, field.value]))}`;
    let found = made.get(id);
    if (!found) {
      const depth = path.split('.').length;
      const changes: Assignment[] = own.map((field) => ({
        path: field.path.split('.').slice(depth),
        value: field.value,
      }));
      found = replaceAll(component, changes) as Component;
      made.set(id, found);
    }
    return found as C;
  };
}

function listRows(experiment: Experiment): Row[] {
  const rows = Object.keys(experiment.tokenizers).flatMap((tokenizer) =>
    Object.keys(experiment.pretraining).map((pretraining) => ({
      name: rowName(experiment, tokenizer, pretraining),
      tokenizer,
      pretraining,
    })),
  );
  return experiment.scratch ? [{ name: 'scratch' }, ...rows] : rows;
}

function rowName(experiment: Experiment, tokenizer: string, pretraining: string): string {
  return Object.keys(experiment.pretraining).length > 1 ? `${tokenizer}/${pretraining}` : tokenizer;
}

/** Does a swept field change what is in a row? */
function concerns(path: string, { tokenizer, pretraining }: Row): boolean {
  const [group, name] = path.split('.');
  if (group === 'data') return true;
  if (group === 'scratch') return tokenizer === undefined;
  if (group === 'tokenizers') return name === tokenizer;
  if (group === 'pretraining') return name === pretraining;
  return tokenizer !== undefined;
}

interface Member {
  readonly name: string;
  readonly fields: readonly SweptField[];
  /** Numbers of the points that look like this in this row. */
  readonly points: number[];
}

/** A row for every way in which the points differ for it. */
function spread(
  row: Row,
  points: readonly Point[],
  texts: readonly ReadonlyMap<string, string>[],
  allPaths: readonly string[],
) {
  const paths = allPaths.filter((path) => concerns(path, row));
  const ends = shortestEnds(paths);
  const members = new Map<string, Member>();
  const names = new Map<string, number>();
  const nameAt = points.map((point, index) => {
    const text = paths.map((path) => texts[index]!.get(path) ?? '').join('\n');
    let member = members.get(text);
    if (!member) {
      const fields = paths
        .filter((path) => point[path] !== undefined)
        .map((path): SweptField => {
          const value = point[path]!;
          const label = `${ends.get(path)!}=${showValue(value)}`;
          return { path, component: componentOf(path.split('.'))!, label, value };
        });
      const name = uniqueName(
        `${row.name}${fields.length > 0 ? '@' : ''}${fields.map(({ label }) => label)}`,
      );
      member = { name, fields, points: [] };
      members.set(text, member);
    }
    member.points.push(index);
    return member.name;
  });
  return { row, members: [...members.values()], nameAt };

  /** Values that differ may look alike in a name: a long list, or "1" and 1. */
  function uniqueName(name: string): string {
    const count = (names.get(name) ?? 0) + 1;
    names.set(name, count);
    return count === 1 ? name : `${name}~${count}`;
  }
}

/** For each path its shortest end that no other has: `tokenizers.peco.codebook.size` -> `size`. */
export function shortestEnds(paths: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    paths.map((path) => {
      const parts = path.split('.');
      const others = paths.filter((other) => other !== path);
      for (let length = 1; length < parts.length; length++) {
        const end = parts.slice(-length).join('.');
        if (!others.some((other) => other.endsWith(`.${end}`))) return [path, end];
      }
      return [path, path];
    }),
  );
}

/** Values as parts of names, which are parts of stage ids: nothing but letters, digits and a few signs. */
export function showValue(value: Json): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (/^[A-Za-z0-9_.+-]{1,32}$/.test(text)) return text;
  const plain = text.replaceAll(/[^A-Za-z0-9_.+-]+/g, '-').replace(/^-/, '');
  return plain.slice(0, 32).replace(/-$/, '') || 'empty';
}

type Rebuild = <C extends Component>(path: string, component: C) => C;

function componentsOf(experiment: Experiment, row: Row, rebuild: Rebuild) {
  const { data, evaluation } = experiment;
  const scratch = row.tokenizer === undefined;
  const tasks = scratch ? (experiment.scratch?.downstream ?? {}) : experiment.downstream;
  const group = scratch ? 'scratch.downstream' : 'downstream';
  return {
    data: { train: rebuild('data.train', data.train), test: rebuild('data.test', data.test) },
    downstream: Object.fromEntries(
      Object.entries(tasks).map(([task, part]) => [task, part && rebuild(`${group}.${task}`, part)]),
    ),
    ...(evaluation ? { evaluation: rebuild('evaluation', evaluation) } : {}),
    ...(row.tokenizer === undefined ? {} : { tokenizer: named('tokenizers', row.tokenizer) }),
    ...(row.pretraining === undefined ? {} : { pretraining: named('pretraining', row.pretraining) }),
  };

  function named(kind: 'tokenizers' | 'pretraining', name: string) {
    return { name, component: rebuild(`${kind}.${name}`, experiment[kind][name]! as Component) };
  }
}
