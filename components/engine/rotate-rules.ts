/** How tfjs turns an image: by the nearest pixel. */

/**
 * For each pixel of a turned image, row by row, the pixel of the image that it copies; `height * width` where there is
 * none. Angle in radians, clockwise; `center` in shares of width and height.
 */
export function rotatedSources(
  [height, width]: readonly [number, number],
  radians: number,
  center: number | readonly [number, number],
): Int32Array {
  const [shareX, shareY] = typeof center === 'number' ? [center, center] : center;
  const [middleX, middleY] = [width * shareX, height * shareY];
  const [sin, cos] = [Math.sin(radians), Math.cos(radians)];
  return Int32Array.from({ length: height * width }, (_, index) => {
    const [down, right] = [Math.floor(index / width) - middleY, (index % width) - middleX];
    const x = Math.round(right * cos - down * sin + middleX);
    const y = Math.round(right * sin + down * cos + middleY);
    return x >= 0 && x < width && y >= 0 && y < height ? y * width + x : height * width;
  });
}
