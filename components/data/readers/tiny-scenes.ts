/**
 * Small scenes of Fashion-MNIST items, of which the scripts `make-tiny.ts` make folders like COCO and ADE20K: the items are
 * those that ship with this package, coloured, enlarged and put on a background, with exact masks of what is visible.
 */
import { fileURLToPath } from 'node:url';
import { type Random, random } from '../../nn/random.ts';
import { readIdx } from '../decode/idx.ts';
import { SHIPPED_FILES } from './fashion-mnist/files.ts';

const side = 28;

/** Classes of Fashion-MNIST that are in the scenes: those that differ most. */
export const sceneClasses = [0, 2, 3, 4, 5, 7, 8, 9] as const;

export type SceneClass = (typeof sceneClasses)[number];

/** What is visible of an item. */
export interface SceneObject {
  readonly class: SceneClass;
  /** 1 where it is, row by row, `[height, width]`. */
  readonly mask: Uint8Array;
}

export interface Scene {
  readonly height: number;
  readonly width: number;
  /** Bytes, `[height, width, 3]`. */
  readonly colours: Uint8Array;
  /** Row where the ground begins. */
  readonly horizon: number;
  readonly objects: readonly SceneObject[];
}

/** Sizes in turn: landscape, portrait, square, wide. */
const sizes = [
  [48, 64],
  [64, 48],
  [56, 56],
  [40, 72],
] as const;

/** Scenes of a split: those of `test` show items that no scene of `train` shows. The fourth of them is empty. */
export function makeScenes(split: 'train' | 'test', count: number, purpose: string): Scene[] {
  const itemOf = openItems(split);
  let next = 0;
  return Array.from({ length: count }, (_, number) => {
    const draw = random(0, purpose, split, number);
    const [height, width] = sizes[number % sizes.length]!;
    const scene = { height, width, ...background(height, width, draw) };
    const objects: { class: SceneClass; mask: Uint8Array }[] = [];
    for (let n = 0; n < (number === 3 ? 0 : 2 + draw.int(2)); n++, next++) {
      const label = sceneClasses[next % sceneClasses.length]!;
      const mask = paste(scene, itemOf(label, Math.floor(next / sceneClasses.length)), draw);
      for (const { mask: behind } of objects)
        for (const [place, is] of mask.entries()) if (is === 1) behind[place] = 0;
      objects.push({ class: label, mask });
    }
    // Some dozen pixels of an object are no object.
    return { ...scene, objects: objects.filter(({ mask }) => mask.reduce((sum, is) => sum + is, 0) >= 24) };
  });
}

function openItems(split: 'train' | 'test'): (label: SceneClass, number: number) => Uint8Array {
  const place = (name: string): string => fileURLToPath(new URL(`fashion-mnist/${name}`, import.meta.url));
  const images = readIdx(place(SHIPPED_FILES[split].images), 3).data;
  const labels = readIdx(place(SHIPPED_FILES[split].labels), 1).data;
  return (label, number) => {
    const index = [...labels.keys()].filter((at) => labels[at] === label)[number]!;
    return images.subarray(index * side * side, (index + 1) * side * side);
  };
}

/** Two colours that meet at a horizon, each a little darker towards the bottom. */
function background(height: number, width: number, draw: Random): Pick<Scene, 'colours' | 'horizon'> {
  const [above, below] = [colour(draw), colour(draw)];
  const horizon = Math.round(height * (0.3 + 0.4 * draw.uniform()));
  const colours = new Uint8Array(height * width * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let channel = 0; channel < 3; channel++)
        colours[(y * width + x) * 3 + channel] = Math.round(
          (y < horizon ? above : below)[channel]! * (1 - (0.3 * y) / height),
        );
  return { colours, horizon };
}

/** Paints an item, 18 to 34 pixels a side, somewhere; returns its mask. */
function paste(
  { height, width, colours }: Pick<Scene, 'height' | 'width' | 'colours'>,
  grey: Uint8Array,
  draw: Random,
): Uint8Array {
  const size = 18 + draw.int(17);
  // A part of it may be outside.
  const top = draw.int(height - size + 9) - 4;
  const left = draw.int(width - size + 9) - 4;
  const tint = colour(draw);
  const mask = new Uint8Array(height * width);
  const inside = filled(grey);
  for (let y = Math.max(0, top); y < Math.min(height, top + size); y++)
    for (let x = Math.max(0, left); x < Math.min(width, left + size); x++) {
      const from = [y - top, x - left].map((place) => Math.floor(((place + 0.5) * side) / size));
      const value = grey[from[0]! * side + from[1]!]!;
      if (inside[from[0]! * side + from[1]!] === 0) continue;
      mask[y * width + x] = 1;
      for (let channel = 0; channel < 3; channel++)
        colours[(y * width + x) * 3 + channel] = Math.round((tint[channel]! * (64 + 0.75 * value)) / 255);
    }
  return mask;
}

/** 1 where an item is: all that the dark around it doesn't reach. */
function filled(grey: Uint8Array): Uint8Array {
  const dark = 12;
  const inside = new Uint8Array(grey.length).fill(1);
  const reached = [...grey.keys()].filter((place) => {
    const [x, y] = [place % side, Math.floor(place / side)];
    return grey[place]! <= dark && (x === 0 || y === 0 || x === side - 1 || y === side - 1);
  });
  for (let place = reached.pop(); place !== undefined; place = reached.pop()) {
    inside[place] = 0;
    for (const step of [-1, 1, -side, side]) {
      const next = place + step;
      const isBeside = Math.abs((next % side) - (place % side)) <= 1;
      if (next >= 0 && next < grey.length && isBeside && inside[next] === 1 && grey[next]! <= dark)
        reached.push(next);
    }
  }
  return inside;
}

function colour(draw: Random): number[] {
  return Array.from({ length: 3 }, () => 40 + draw.int(216));
}

/**
 * Outlines of a mask along the edges of its pixels, x0, y0, x1, y1, ...: one for each part that hangs together by edges.
 * Undefined where a part has a hole, which outlines can't have.
 */
export function outlinesOf(
  mask: Uint8Array,
  { height, width }: Pick<Scene, 'height' | 'width'>,
): number[][] | undefined {
  const is = (y: number, x: number): boolean =>
    y >= 0 && x >= 0 && y < height && x < width && mask[y * width + x] === 1;
  // Edges with the mask on their right, by where they begin: corner -> directions (0 right, 1 down, 2 left, 3 up).
  const edges = new Map<number, number[]>();
  const add = (y: number, x: number, direction: number): void => {
    const corner = y * (width + 1) + x;
    edges.set(corner, [...(edges.get(corner) ?? []), direction]);
  };
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if (!is(y, x)) continue;
      if (!is(y - 1, x)) add(y, x, 0);
      if (!is(y, x + 1)) add(y, x + 1, 1);
      if (!is(y + 1, x)) add(y + 1, x + 1, 2);
      if (!is(y, x - 1)) add(y + 1, x, 3);
    }
  const outlines: number[][] = [];
  for (const first of [...edges.keys()].sort((a, b) => a - b))
    while (edges.has(first)) {
      const { outline, area } = follow(edges, first, width + 1);
      if (area < 0) return undefined;
      outlines.push(outline);
    }
  return outlines;
}

/** Takes a closed way out of the edges. Its area is negative where it goes around a hole. */
function follow(
  edges: Map<number, number[]>,
  first: number,
  columns: number,
): { readonly outline: number[]; readonly area: number } {
  const outline: number[] = [];
  let [corner, last, area] = [first, -1, 0];
  do {
    const ways = edges.get(corner)!;
    // Where parts touch at a corner, to the right: the way stays at its part.
    const direction = ways.includes((last + 1) % 4) ? (last + 1) % 4 : ways[0]!;
    const rest = ways.filter((way) => way !== direction);
    if (rest.length > 0) edges.set(corner, rest);
    else edges.delete(corner);
    const [x, y] = [corner % columns, Math.floor(corner / columns)];
    if (direction !== last) outline.push(x, y);
    area += direction === 0 ? -y : direction === 2 ? y : 0;
    corner += [1, columns, -1, -columns][direction]!;
    last = direction;
  } while (corner !== first);
  return { outline, area };
}
