import type { Corners, Size } from './geometry.ts';

/** A box cut at the border of a picture. */
export function boxWithin([left, top, right, bottom]: Corners, { height, width }: Size): Corners {
  const clip = (value: number, most: number) => Math.min(most, Math.max(0, value));
  return [clip(left, width), clip(top, height), clip(right, width), clip(bottom, height)];
}

/** The box around what outlines have in a picture; of no area if they have nothing in it. */
export function outlineBox(outlines: readonly (readonly number[])[], { height, width }: Size): Corners {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (const outline of outlines) {
    const rest = cutOutline(outline, { height, width });
    for (let at = 0; at < rest.length; at += 2) {
      left = Math.min(left, rest[at]!);
      right = Math.max(right, rest[at]!);
      top = Math.min(top, rest[at + 1]!);
      bottom = Math.max(bottom, rest[at + 1]!);
    }
  }
  return [left, top, Math.max(left, right), Math.max(top, bottom)];
}

/** The part of an outline that is in a picture: cut along one edge after the other (Sutherland and Hodgman 1974). */
export function cutOutline(outline: readonly number[], { height, width }: Size): readonly number[] {
  const edges = [
    { axis: 0, at: 0, sign: 1 },
    { axis: 0, at: width, sign: -1 },
    { axis: 1, at: 0, sign: 1 },
    { axis: 1, at: height, sign: -1 },
  ] as const;
  return edges.reduce<readonly number[]>(cutAt, outline.slice(0, outline.length & ~1));
}

interface Edge {
  readonly axis: 0 | 1;
  readonly at: number;
  readonly sign: 1 | -1;
}

function cutAt(outline: readonly number[], { axis, at, sign }: Edge): readonly number[] {
  const rest: number[] = [];
  for (let next = 0; next < outline.length; next += 2) {
    const before = next === 0 ? outline.length - 2 : next - 2;
    const [from, to] = [sign * (outline[before + axis]! - at), sign * (outline[next + axis]! - at)];
    if (from < 0 !== to < 0) {
      const share = from / (from - to);
      const between = (n: 0 | 1) =>
        n === axis ? at : outline[before + n]! + share * (outline[next + n]! - outline[before + n]!);
      rest.push(between(0), between(1));
    }
    if (to >= 0) rest.push(outline[next]!, outline[next + 1]!);
  }
  return rest;
}
