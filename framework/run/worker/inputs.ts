import { pathToFileURL } from 'node:url';
import type { StageInput } from '../../stage/contract.ts';
import { StageError } from '../../stage/stage-error.ts';
import type { InputDescriptor, StageJob } from '../executors/executor.ts';

/** The described inputs as a stage sees them. Inputs that several others share are one object. */
export function openInputs(job: Pick<StageJob, 'inputs' | 'descriptors'>): {
  readonly [name: string]: StageInput;
} {
  const open = new Map<string, StageInput>();
  function openInput(id: string): StageInput {
    const known = open.get(id);
    if (known) return known;
    const descriptor = job.descriptors[id]!;
    const input: StageInput = {
      kind: descriptor.kind,
      config: descriptor.config,
      dir: descriptor.dir,
      files: descriptor.files,
      inputs: mapValues(descriptor.inputs, openInput),
      load: () => loadInput(descriptor, input),
    };
    open.set(id, input);
    return input;
  }
  return mapValues(job.inputs, openInput);
}

async function loadInput(descriptor: InputDescriptor, input: StageInput): Promise<unknown> {
  if (descriptor.load === undefined) {
    throw new StageError(
      `input of kind "${descriptor.kind}" can't be loaded: its component has no load module`,
      {
        hint: 'give `load` to its defineComponent',
      },
    );
  }
  const module: { load?: unknown } = await import(pathToFileURL(descriptor.load).href);
  if (typeof module.load !== 'function') {
    throw new StageError(`the load module of kind "${descriptor.kind}" exports no function \`load\``);
  }
  const loaded: unknown = await module.load(input);
  if (loaded === undefined)
    throw new StageError(`\`load\` of kind "${descriptor.kind}" returns nothing`, {
      hint: 'return what other stages read: a `return` is missing, or an `await` before it',
    });
  return loaded;
}

function mapValues<From, To>(
  record: { readonly [name: string]: From },
  convert: (value: From) => To,
): { readonly [name: string]: To } {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, convert(value)]));
}
