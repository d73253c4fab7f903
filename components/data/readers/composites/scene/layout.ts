import { type Random, random } from '../../../../nn/random.ts';
import type { Items } from '../items.ts';
import { clutterOf } from './clutter.ts';
import { type Owners, paint } from './paint.ts';
import type { Sprite } from './sprite.ts';
import type { Thing } from './thing.ts';

/** What is in scenes, as configs say it. */
export interface SceneOptions {
  /** Height and width in pixels. */
  readonly size: number;
  readonly objects: readonly [least: number, most: number];
  readonly clutter: readonly [least: number, most: number];
  /** Share of the scene that the main object has, before anything covers it. */
  readonly area: readonly [least: number, most: number];
  /** How far the main object lies from the middle and how far it is turned, as a share of the most. */
  readonly spread: number;
}

/** What is where in a scene: all that its targets depend on. */
export interface Layout {
  /** From back to front. */
  readonly things: readonly Thing[];
  /** For each pixel the place of the object in `things` plus 1; 0: none, be it background or clutter. */
  readonly owners: Owners;
  /** Objects of which enough is visible, by their places in `things`. */
  readonly visible: readonly { readonly place: number; readonly area: number }[];
}

/** Of a thing: its pixels before anything covers them, as a share of the main object's. */
const shares = { main: [1, 1], other: [0.35, 0.4], clutter: [0.1, 0.35] } as const;
/** Where middles are, as shares of the side. */
const places = { main: [0.3, 0.7], other: [0.1, 0.9], clutter: [0, 1] } as const;
/** Objects are turned by up to this, in radians, since shoes stand and shirts hang. */
const turn = 0.5;
/** An object of which less is to be seen is not annotated. */
const leastVisible = 0.15;
/** Of the main object at least this share is to be seen. */
const leastOfMain = 0.5;
/** How much of the clutter may lie in front of objects. */
const inFront = 0.3;
const attempts = 8;

/**
 * Draws what a scene shows and where. The first object that is drawn is the main one, larger than the others. A pure
 * function of its arguments; `stream` is the beginning of the path of its random numbers.
 */
export function drawLayout(
  items: Items,
  options: SceneOptions,
  seed: number,
  stream: readonly (string | number)[],
): Layout {
  for (let attempt = 0; ; attempt++) {
    const draw = random(seed, ...stream, 'layout', attempt);
    const alone = attempt === attempts;
    const { things, main } = drawThings(
      items,
      alone ? { ...options, objects: [1, 1], clutter: [0, 0] } : options,
      draw,
    );
    const layout = whatIsSeen(things, options.size);
    const seen = layout.visible.find(({ place }) => things[place] === main)?.area ?? 0;
    if (alone || seen >= leastOfMain * areaOf(main)) return layout;
  }
}

function drawThings(
  items: Items,
  { size, objects, clutter, area, spread }: SceneOptions,
  draw: Random,
): { readonly things: Thing[]; readonly main: Thing } {
  const between = ([least, most]: readonly [number, number]) => least + draw.int(most - least + 1);
  const [objectCount, clutterCount] = [between(objects), between(clutter)];
  const made: Thing[] = [];
  for (let n = 0; n < objectCount; n++) {
    const label = draw.int(items.byClass.length);
    const sprite = items.sprite(oneOf(items.byClass[label]!, draw));
    made.push(place(sprite, label, n === 0 ? 'main' : 'other', { size, area, spread }, draw));
  }
  const main = made[0]!;
  const things: Thing[] = [];
  for (const thing of made) things.splice(draw.int(things.length + 1), 0, thing);
  for (let n = 0; n < clutterCount; n++) {
    const label = draw.int(items.byClass.length);
    const sprite = clutterOf(items.sprite(oneOf(items.byClass[label]!, draw)), draw);
    const depth = draw.uniform() < inFront ? draw.int(things.length + 1) : 0;
    things.splice(depth, 0, place(sprite, -1, 'clutter', { size, area, spread }, draw));
  }
  return { things, main };
}

function oneOf(places: Int32Array, draw: Random): number {
  return places[draw.int(places.length)]!;
}

function place(
  sprite: Sprite,
  label: number,
  role: keyof typeof shares,
  { size, area, spread }: Pick<SceneOptions, 'size' | 'area' | 'spread'>,
  draw: Random,
): Thing {
  const within = ([from, to]: readonly [number, number]) => from + (to - from) * draw.uniform();
  const pixels = within(area) * within(shares[role]) * size * size;
  const wanted = Math.sqrt(pixels / sprite.area);
  const share = role === 'main' ? spread : 1;
  const along = () => (0.5 + share * (within(places[role]) - 0.5)) * size;
  return {
    sprite,
    class: label,
    x: along(),
    y: along(),
    // Long ones don't leave the scene on both sides.
    scale: Math.min(wanted, size / Math.hypot(sprite.height, sprite.width)),
    angle: role === 'clutter' ? 2 * Math.PI * draw.uniform() : share * within([-turn, turn]),
    mirrored: draw.uniform() < 0.5,
  };
}

/** Pixels that a thing would have if nothing covered it. */
function areaOf({ sprite, scale }: Thing): number {
  return sprite.area * scale * scale;
}

/** Which object each pixel shows; those that are covered too much own their pixels, but aren't visible. */
export function whatIsSeen(things: readonly Thing[], size: number): Layout {
  const owners: Owners = { size, pixels: new Uint8Array(size * size) };
  for (const [n, thing] of things.entries()) paint(thing, { owners, owner: thing.class < 0 ? 0 : n + 1 });
  const counts = new Uint32Array(things.length + 1);
  for (const owner of owners.pixels) counts[owner]! += 1;
  const visible = things.flatMap((thing, n) => {
    const area = counts[n + 1]!;
    return thing.class >= 0 && area > 0 && area >= leastVisible * areaOf(thing) ? [{ place: n, area }] : [];
  });
  return { things, owners, visible };
}
