import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import sharp from 'sharp';
import type { Pixels } from '../../../components/data/types.ts';
import { resample } from '../../../components/data/views/resample.ts';
import { Workspace } from '../../../components/data/views/simd/kernels.ts';
import { Source } from '../../../components/data/views/simd/source.ts';
import { mixImages } from '../../../components/downstream/finetune/mix.ts';
import type { HostTensor } from '../../../components/engine/types.ts';

/** A square picture of three channels. */
export type Picture = Pixels;

/** One picture of each photo. */
export type Column = readonly Picture[];

/** Height and width of a picture on the sheet, and the space between two. */
const [CELL, GAP] = [84, 3];

/** One picture of a batch [B, size, size, 3]. */
export function pictureAt({ shape, data }: HostTensor, place: number): Picture {
  const size = shape[1]!;
  const length = size * size * 3;
  const bytes = Uint8Array.from(data.subarray(place * length, (place + 1) * length));
  return { bytes, height: size, width: size, channels: 3 };
}

/** Masked patches in grey, but for a trace of what is below. */
export function overlaid(picture: Picture, mask: Uint8Array, side: number): Picture {
  const patch = picture.width / side;
  const bytes = picture.bytes.map((byte, at) => {
    const [y, x] = [Math.floor(at / 3 / picture.width), Math.floor(at / 3) % picture.width];
    return mask[Math.floor(y / patch) * side + Math.floor(x / patch)] ? 150 + (byte - 128) / 5 : byte;
  });
  return { ...picture, bytes };
}

/** Pictures mixed with their neighbours, as a fine-tuning's program mixes them. */
export function mixed(column: Column, { shape, data }: HostTensor): Column {
  const size = column[0]!.width;
  const images = tf.stack(column.map(({ bytes }) => tf.tensor3d(Float32Array.from(bytes), [size, size, 3])));
  const made = mixImages(images, tf.tensor2d(data as Float32Array, shape as [number, number]));
  const bytes = Uint8Array.from(made.dataSync(), Math.round);
  return column.map((_, place) => pictureAt({ shape: [...made.shape], dtype: 'uint8', data: bytes }, place));
}

/** A PNG of 256 colours, one row a photo. */
export async function sheetOf(columns: readonly Column[]): Promise<Buffer> {
  const rows = columns[0]!.length;
  const [width, height] = [columns.length, rows].map((count) => count * (CELL + GAP) + GAP) as [
    number,
    number,
  ];
  const sheet = new Uint8Array(width * height * 3).fill(255);
  for (const [x, column] of columns.entries())
    for (const [y, picture] of column.entries()) {
      const cell = { top: 0, left: 0, height: CELL, width: CELL };
      const whole = { top: 0, left: 0, height: picture.height, width: picture.width };
      const { bytes } = Workspace.use((space) =>
        resample(Source.of(space, picture), whole, cell, cell, 'lanczos'),
      );
      for (let row = 0; row < CELL; row++) {
        const to = ((GAP + y * (CELL + GAP) + row) * width + GAP + x * (CELL + GAP)) * 3;
        sheet.set(bytes.subarray(row * CELL * 3, (row + 1) * CELL * 3), to);
      }
    }
  const image = sharp(sheet, { raw: { width, height, channels: 3 } });
  return image.png({ palette: true, colours: 256, compressionLevel: 9, effort: 10 }).toBuffer();
}
