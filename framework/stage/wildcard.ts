/** Whether a name is meant by a pattern, in which `*` stands for any text. Takes no longer for many stars than for one. */
export function fits(pattern: string, name: string): boolean {
  const [first, ...others] = pattern.split('*') as [string, ...string[]];
  const last = others.pop();
  if (last === undefined) return name === pattern;
  if (!name.startsWith(first)) return false;
  // Each part where it comes first leaves most for those after it.
  let end = first.length;
  for (const part of others) {
    const found = name.indexOf(part, end);
    if (found < 0) return false;
    end = found + part.length;
  }
  return end + last.length <= name.length && name.endsWith(last);
}
