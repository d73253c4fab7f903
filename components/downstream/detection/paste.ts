import { encodeWindow, type MaskSize } from '../../data/masks/runs.ts';
import type { RunLengths } from '../../data/targets.ts';

/** Left, top, right, bottom in pixels. */
export type Corners = readonly [x0: number, y0: number, x1: number, y1: number];

/** What is at least so probable is in a mask. */
const threshold = 0.5;

/**
 * The mask of a detection in its image: the square map of probabilities is stretched over the box, linearly between the
 * middles of its cells and down to 0 half a cell outside of it; pixels are in the mask where their middle has at least one half
 * (detectron2, layers/mask_ops.py, `paste_masks_in_image`; torchvision's rounds boxes to whole pixels before).
 *
 * @param mask [side, side], row by row, from 0 to 1
 */
export function pasteMask(mask: Float32Array, [x0, y0, x1, y1]: Corners, size: MaskSize): RunLengths {
  const side = Math.sqrt(mask.length);
  const columns = cellsOf(x0, x1, size.width, side);
  const rows = cellsOf(y0, y1, size.height, side);
  const bitmap = new Uint8Array(rows.count * columns.count);
  for (let row = 0; row < rows.count; row++) {
    const [above, below, down] = [rows.before[row]! * side, rows.after[row]! * side, rows.part[row]!];
    const [keepAbove, keepBelow] = [
      rows.before[row]! >= 0 ? 1 - down : 0,
      rows.after[row]! < side ? down : 0,
    ];
    for (let column = 0; column < columns.count; column++) {
      const [left, right, across] = [columns.before[column]!, columns.after[column]!, columns.part[column]!];
      let value = 0;
      // Beyond the map there is 0.
      if (keepAbove > 0) {
        if (left >= 0) value += keepAbove * (1 - across) * mask[above + left]!;
        if (right < side) value += keepAbove * across * mask[above + right]!;
      }
      if (keepBelow > 0) {
        if (left >= 0) value += keepBelow * (1 - across) * mask[below + left]!;
        if (right < side) value += keepBelow * across * mask[below + right]!;
      }
      if (value >= threshold) bitmap[row * columns.count + column] = 1;
    }
  }
  const window = { top: rows.first, left: columns.first, height: rows.count, width: columns.count };
  return encodeWindow(bitmap, window, size);
}

/** For the pixels of an image whose middles are in the box: between which cells of the map they are. */
function cellsOf(from: number, to: number, length: number, side: number) {
  const first = Math.min(length, Math.max(0, Math.ceil(from - 0.5)));
  const count = to > from ? Math.max(0, Math.min(length, Math.floor(to - 0.5) + 1) - first) : 0;
  const places = Array.from(
    { length: count },
    (_, i) => ((first + i + 0.5 - from) / (to - from)) * side - 0.5,
  );
  const before = places.map(Math.floor);
  return {
    ...{ first, count, before },
    after: before.map((cell) => cell + 1),
    part: places.map((place, i) => place - before[i]!),
  };
}
