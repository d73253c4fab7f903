import { type Dict, PickleError, type PickleValue, Record, StoredTensor } from './values.ts';

/**
 * Where checkpoints have their weights, in the order in which they are looked for: MoCo v3 and timm `state_dict`, BEiT and
 * MAE `model` or `module`, DINO `teacher`, BEiT's tokenizer `weights`.
 */
const TOP_KEYS = ['state_dict', 'model', 'module', 'teacher', 'weights'] as const;
const MOST_DEPTH = 64;
const MOST_SHOWN = 10;

/**
 * The tensors of what a file holds, by their names: a dict of tensors, one below one of `TOP_KEYS`, or a whole module.
 *
 * @throws PickleError if there are none
 */
export function tensorsOf(root: PickleValue): ReadonlyMap<string, StoredTensor> {
  const bare = directTensors(root);
  if (bare.size > 0) return bare;
  for (const key of TOP_KEYS) {
    const found = directTensors(root instanceof Map ? (root.get(key) ?? null) : null);
    if (found.size > 0) return found;
  }
  const keys = root instanceof Map ? [...root.keys()].filter((key) => typeof key === 'string') : [];
  const shown = keys.slice(0, MOST_SHOWN).map((key) => JSON.stringify(key).slice(0, 40));
  const has =
    shown.length === 0 ? 'no dict at all' : `${shown.join(', ')}${keys.length > MOST_SHOWN ? ', ...' : ''}`;
  throw new PickleError(
    `has no tensors by name, neither at its top nor below ${TOP_KEYS.join(', ')}: it has ${has}`,
  );
}

function directTensors(value: PickleValue): Map<string, StoredTensor> {
  const found = new Map<string, StoredTensor>();
  if (value instanceof Record) collectModule(value, '', found, new Set());
  if (value instanceof Map)
    for (const [name, tensor] of value)
      if (typeof name === 'string' && tensor instanceof StoredTensor) found.set(name, tensor);
  return found;
}

/** Names as `torch.nn.Module.state_dict` gives them: those of parameters and buffers behind those of the modules they are in. */
function collectModule(
  module: Record,
  prefix: string,
  found: Map<string, StoredTensor>,
  above: Set<Record>,
): void {
  const { state } = module;
  // A module that is in itself, or so deep that it is no network.
  if (!(state instanceof Map) || above.has(module) || above.size > MOST_DEPTH) return;
  above.add(module);
  for (const part of ['_parameters', '_buffers'])
    for (const [name, tensor] of membersOf(state, part))
      if (tensor instanceof StoredTensor) add(found, `${prefix}${name}`, tensor);
  for (const [name, child] of membersOf(state, '_modules'))
    if (child instanceof Record) collectModule(child, `${prefix}${name}.`, found, above);
  above.delete(module);
}

function membersOf(state: Dict, part: string): [string, PickleValue][] {
  const members = state.get(part);
  if (!(members instanceof Map)) return [];
  return [...members].filter((member): member is [string, PickleValue] => typeof member[0] === 'string');
}

/** Modules that share children can have more names than memory: a hostile file doubles them at each depth. */
const MOST_TENSORS = 100_000;

function add(found: Map<string, StoredTensor>, name: string, tensor: StoredTensor): void {
  if (found.size >= MOST_TENSORS) throw new PickleError(`has a module of more than ${MOST_TENSORS} tensors`);
  found.set(name, tensor);
}
