import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import test from 'ava';
import { drawView } from '../../../../components/data/views/draw.ts';
import { type Change, jitterPart } from '../../../../components/data/views/jitter.ts';
import { fillPicture, renderPictures } from '../../../../components/data/views/render.ts';
import { viewSchema } from '../../../../components/data/views/view.ts';
import { random } from '../../../../components/nn/random.ts';
import { noise, resampled } from './support.ts';

interface Crops {
  readonly pictures: readonly {
    readonly changes: readonly (readonly [kind: Change['kind'], factor: number])[];
    readonly part: readonly [left: number, top: number, right: number, bottom: number];
    readonly flip: boolean;
    readonly sha256: readonly [large: string, small: string];
  }[];
  readonly middles: readonly { readonly size: number; readonly share: number; readonly sha256: string }[];
  readonly parts: readonly {
    readonly width: number;
    readonly height: number;
    readonly moments: readonly number[];
  }[];
}

// Made by make.py beside it.
const file = new URL('../../../fixtures/views/crops.json', import.meta.url);
const { pictures, middles, parts }: Crops = JSON.parse(readFileSync(file, 'utf8'));

for (const { changes, part, flip, sha256 } of pictures)
  test(`the part ${part}${flip ? ', mirrored' : ''}, in both of BEiT's sizes: byte for byte as torchvision`, (t) => {
    const [left, top, right, bottom] = part;
    const window = { top, left, height: bottom - top, width: right - left };
    const seen = jitterPart(
      noise({}),
      window,
      changes.map(([kind, factor]) => ({ kind, factor })),
    );
    for (const [place, size] of [16, 8].entries()) {
      const square = { top: 0, left: 0, height: size, width: size };
      const filter = place === 0 ? 'bicubic' : 'lanczos';
      const { bytes, channels } = resampled(seen, { ...window, top: 0, left: 0 }, square, square, filter);
      const picture = new Uint8Array(size * size * 3);
      // Mirrored last: torchvision mirrors the image first.
      fillPicture(picture, 0, { bytes, channels, mirrored: flip }, size);
      t.is(hash('sha256', picture), sha256[place]);
    }
  });

for (const { size, share, sha256 } of middles)
  test(`the middle of ${size} pixels, a share of ${share}: byte for byte as torchvision's Resize and CenterCrop`, (t) => {
    const sight = {
      ...{ crop: { kind: 'centre', share } as const, flip: 0 },
      pictures: [{ size, interpolation: 'bicubic' as const }],
    };
    t.is(hash('sha256', renderPictures(noise({}), sight)[0]!.bytes), sha256);
  });

const { crop } = viewSchema.parse({ crop: { kind: 'random-resized' } });

for (const { width, height, moments } of parts)
  test(`parts of ${width} x ${height}: area, aspect and place as 40,000 that torchvision drew`, (t) => {
    const drawn = Array.from({ length: 5000 }, (_, image) => {
      const { part } = drawView({ crop, flip: 0 }, { height, width }, random(4, image));
      const { top, left, ...size } = part!;
      const area = (size.height * size.width) / (height * width);
      return [area, Math.log(size.width / size.height), top / height, left / width] as const;
    });
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const columns = [0, 1, 2, 3].map((column) => drawn.map((row) => row[column]!));
    const spread = (values: readonly number[]) => {
      const middle = mean(values);
      return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
    };
    const [areas, aspects, tops, lefts] = columns as [number[], number[], number[], number[]];
    const found = [mean(areas), spread(areas), mean(aspects), spread(aspects), mean(tops), mean(lefts)];
    for (const [place, wanted] of moments.entries())
      t.true(Math.abs(found[place]! - wanted) < 0.01, `${place}: ${found[place]} and ${wanted}`);
  });
