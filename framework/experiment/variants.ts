import { canonicalJson } from '../stage/canonical.ts';
import type { Component } from '../stage/component.ts';
import type { Json } from '../stage/json.ts';
import { placeOf, type Role, roles, upstreamRoles } from '../stage/roles.ts';
import { pointsOf } from './changes/halving.ts';
import { componentOf, fieldsAtPoint } from './changes/points.ts';
import type { Point } from './changes/sweep.ts';
import { baselineName, listRows, type Part, partsOf, type Row } from './rows.ts';
import { get } from './tree.ts';
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
  /** The name without swept fields. */
  readonly row: string;
  /** The swept fields that concern this row. */
  readonly fields: readonly SweptField[];
  /** The row that it is compared with: of the same point if the sweep changes the baseline; null if that is several. */
  readonly baseline: string | null;
  /** In the order of the table of roles. */
  readonly parts: readonly Part[];
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
  const families = listRows(experiment).map((row) => spread(row, points, texts, paths));
  const compared = families.find(({ row }) => row.name === baselineName(experiment))!;
  return families.flatMap(({ row, members }) =>
    members.map(({ name, fields, points: own }): Variant => {
      const baselines = row === compared.row ? [name] : new Set(own.map((point) => compared.nameAt[point]!));
      const [only, ...others] = baselines;
      const tree = fieldsAtPoint(
        experiment,
        fields.map(({ path, value }) => ({ path: path.split('.'), value })),
      );
      return {
        name,
        row: row.name,
        fields,
        baseline: others.length === 0 ? only! : null,
        parts: row.parts.map((part) => ({ ...part, component: get(tree, part.path) as Component })),
      };
    }),
  );
}

/** Id of the stages of a component in a row, without the seed: as the table of roles says. */
export function idOf(variant: Variant, part: Part): string {
  const nameOf = (role: string) =>
    role === part.role ? part.name : (partsOf(variant, role as Role)[0]?.name ?? '');
  return roles[part.role].id!.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    if (name === 'row') return variant.row;
    return name === 'tag' ? tagOf(variant, part) : nameOf(name);
  });
}

/** `@size=512,dim=16` of the swept fields of a component and of what is wired to it; nothing if there are none. */
export function tagOf(variant: Variant, part: Part): string {
  const upstream = upstreamRoles(part.role);
  const own = part.path.join('.');
  const isBehind = ({ component }: SweptField) => {
    const { role } = placeOf(component.split('.'))!;
    return role === part.role ? component === own : upstream.has(role);
  };
  const labels = variant.fields.filter(isBehind).map(({ label }) => label);
  return labels.length === 0 ? '' : `@${labels.join(',')}`;
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
  const own = new Set<string | undefined>(row.parts.map(({ path }) => path.join('.')));
  const paths = allPaths.filter((path) => own.has(componentOf(path.split('.'))?.join('.')));
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
          return { path, component: componentOf(path.split('.'))!.join('.'), label, value };
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
