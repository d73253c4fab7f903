/** So many members of a list at most, evenly far from each other, always with the last; all where there are no more. */
export function thinned<T>(list: readonly T[], most: number): readonly T[] {
  const stride = Math.ceil(list.length / most);
  return list.filter((_, index) => (list.length - 1 - index) % stride === 0);
}
