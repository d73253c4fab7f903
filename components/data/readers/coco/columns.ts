/** Numbers in a row that grows: the memory of an array of numbers, however many there are. */
export interface Column {
  readonly length: number;
  push(value: number): void;
  at(place: number): number;
  /** The numbers so far. */
  values(): Float64Array;
}

export function openColumn(): Column {
  let values = new Float64Array(1024);
  let length = 0;
  return {
    get length() {
      return length;
    },
    push(value) {
      if (length === values.length) {
        const larger = new Float64Array(2 * length);
        larger.set(values);
        values = larger;
      }
      values[length++] = value;
    },
    at: (place) => values[place]!,
    values: () => values.subarray(0, length),
  };
}

/** Places of numbers in ascending order; equal ones stay in their order. */
export function orderOf(values: Float64Array): Uint32Array {
  const order = Uint32Array.from({ length: values.length }, (_, place) => place);
  return order.sort((a, b) => values[a]! - values[b]! || a - b);
}

/** Finds the place of a number among sorted ones; -1 where it isn't. */
export function placeOf(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const there = sorted[middle]!;
    if (there === value) return middle;
    if (there < value) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** The numbers that are there more than once, each time but the first, in ascending order. */
export function repeatedIn(values: Float64Array): number[] {
  const sorted = values.slice().sort();
  const repeated: number[] = [];
  for (let place = 1; place < sorted.length; place++)
    if (sorted[place] === sorted[place - 1]) repeated.push(sorted[place]!);
  return repeated;
}
