/**
 * Adaptive average pooling along one side as a matrix [places, from]: place i is the mean of those from floor(i from / places) to
 * below ceil((i + 1) from / places), as in PyTorch. Places may share inputs, and one may be in several where there are few.
 */
export function averageMatrix(from: number, places: number): Float32Array {
  const matrix = new Float32Array(places * from);
  for (let place = 0; place < places; place++) {
    const first = Math.floor((place * from) / places);
    const end = Math.ceil(((place + 1) * from) / places);
    matrix.fill(1 / (end - first), place * from + first, place * from + end);
  }
  return matrix;
}
