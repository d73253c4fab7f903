import { digestFile } from './digest-file.ts';
import { openWeights } from './open.ts';
import { type PickOptions, pick, type Wanted } from './pick.ts';
import { saveTree, unflatten } from './safetensors.ts';

/**
 * Takes tensors out of a file that was made elsewhere and writes them by our names, which are paths of a tree joined by '/'.
 *
 * @param from file of weights, see `openWeights`
 * @param to where the safetensors file is written
 * @returns the sha256 of the file, for people to compare
 * @throws StageError as `openWeights` and `pick` do
 */
export async function importWeights(
  from: string,
  to: string,
  layout: { readonly [ours: string]: Wanted },
  options: PickOptions,
): Promise<string> {
  const opened = await openWeights(from);
  try {
    saveTree(to, unflatten(await pick(opened, layout, options)));
  } finally {
    await opened.close();
  }
  return digestFile(from);
}
