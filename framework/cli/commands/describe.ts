import { PecoError } from '../../stage/errors.ts';
import { statAt } from '../../stage/stat.ts';
import { describeFile, describeLibrary, findComponent } from '../components.ts';
import { outputLook, printLines } from '../print.ts';
import { formatComponent, formatComponents } from '../text/describe.ts';

export interface DescribeFlags {
  readonly json?: boolean;
}

/**
 * `peco-exp describe [NAME | FILE]`: the fields of a component's config with types, defaults and comments; of a file those of
 * all constructors that it exports; without a name, which components there are.
 *
 * @throws PecoError `unknown-name` with near names; `no-component` for a file that exports none
 */
export async function describeCommand(what: string | undefined, flags: DescribeFlags): Promise<number> {
  const look = outputLook();
  const isFile = what !== undefined && /\.[cm]?[jt]s$/.test(what);
  const all = isFile ? await describeFile(what) : await describeLibrary();
  if (all.length === 0)
    throw new PecoError(`${what} exports no constructor of components`, {
      code: 'no-component',
      hint: 'name the file that exports what `defineComponent` returns',
    });
  const isNamed = all.some(({ name, kind }) => what === name || what === kind);
  if (what !== undefined && !isFile && !isNamed && statAt(what)?.isDirectory())
    throw new PecoError(`${what} is a folder`, {
      code: 'not-found',
      hint: 'name a file that exports constructors of components, or a component such as vqvae',
    });
  const chosen = what === undefined || isFile ? all : [findComponent(all, what)];
  if (flags.json) printLines([JSON.stringify({ components: chosen })], look);
  else if (what === undefined) printLines(formatComponents(chosen, look), look);
  else
    printLines(
      chosen.flatMap((one, index) => [...(index > 0 ? [''] : []), ...formatComponent(one, look)]),
      look,
    );
  return 0;
}
