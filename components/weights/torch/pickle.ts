import { Machine } from './machine.ts';
import {
  type Dict,
  describeValue,
  Named,
  PickleError,
  type PickleValue,
  Record,
  RecordClass,
  Tuple,
} from './values.ts';

/** What the machine can't decide by itself. */
export interface PickleHost {
  /**
   * What a pickle may have for a name of a Python module.
   *
   * @throws PickleError for every name that isn't in its list
   */
  name(module: string, name: string): Named | RecordClass;
  /** What a persistent id stands for: a storage. */
  persistent(id: PickleValue): PickleValue;
}

/**
 * Reads a pickle (protocols 2 to 5) without Python: it can make plain values and containers, records of objects, and what
 * the host has for a name. No code is run, imported or looked for: calls are made of the host's functions only.
 *
 * @param start where the pickle begins
 * @returns the value, and where the pickle ends
 * @throws PickleEnd if the bytes end before it, PickleError for everything else that is wrong
 */
export function unpickle(
  bytes: Buffer,
  start: number,
  host: PickleHost,
): { readonly value: PickleValue; readonly end: number } {
  const machine = new Machine(bytes, start);
  for (;;) {
    machine.countOperations(1);
    const code = machine.take(1)[0];
    if (code === STOP) return { value: machine.pop(), end: machine.position };
    const operation = OPERATIONS.get(code);
    if (!operation)
      throw new PickleError(`its pickle has the operation ${nameCode(code)}, which is not read here`);
    operation(machine, host);
  }
}

type Operation = (machine: Machine, host: PickleHost) => void;

const STOP = code('.');
const MOST_DIGITS = 128; // bytes of a whole number; the keys of PyTorch's old format have 10

function code(sign: string): number {
  return sign.charCodeAt(0);
}

function nameCode(value: number): string {
  return `0x${value.toString(16).padStart(2, '0')}`;
}

/** By their codes, as Python's pickletools lists them. */
const OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [0x80, checkProtocol],
  [0x95, (m) => void m.take(8)], // FRAME: a hint for reading ahead
  // Constants and numbers
  [code('N'), (m) => m.push(null)],
  [0x88, (m) => m.push(true)],
  [0x89, (m) => m.push(false)],
  [code('J'), (m) => m.push(m.take(4).readInt32LE())],
  [code('K'), (m) => m.push(m.take(1)[0])],
  [code('M'), (m) => m.push(m.take(2).readUInt16LE())],
  [code('G'), (m) => m.push(m.take(8).readDoubleBE())],
  [0x8a, (m) => m.push(integerOf(m.take(m.take(1)[0])))],
  [0x8b, (m) => m.push(integerOf(m.take(shortLength(m.take(4).readInt32LE()))))],
  // Texts and bytes
  [code('X'), (m) => m.push(textOf(m.take(m.take(4).readUInt32LE())))],
  [0x8c, (m) => m.push(textOf(m.take(m.take(1)[0])))],
  [0x8d, (m) => m.push(textOf(m.take(longLength(m))))],
  [code('T'), (m) => m.push(textOf(m.take(m.take(4).readInt32LE())))],
  [code('U'), (m) => m.push(textOf(m.take(m.take(1)[0])))],
  [code('B'), (m) => m.push(m.take(m.take(4).readUInt32LE()))],
  [code('C'), (m) => m.push(m.take(m.take(1)[0]))],
  [0x8e, (m) => m.push(m.take(longLength(m)))],
  [0x96, (m) => m.push(m.take(longLength(m)))],
  // The stack and what is remembered
  [code('('), (m) => m.mark()],
  [code('0'), (m) => m.drop()],
  [code('1'), (m) => void m.popMark()],
  [code('2'), (m) => m.push(m.top())],
  [code('q'), (m) => m.remember(m.take(1)[0])],
  [code('r'), (m) => m.remember(m.take(4).readUInt32LE())],
  [0x94, (m) => m.rememberNext()],
  [code('h'), (m) => m.push(m.recall(m.take(1)[0]))],
  [code('j'), (m) => m.push(m.recall(m.take(4).readUInt32LE()))],
  // Containers
  [code(']'), (m) => m.pushNew([])],
  [code('}'), (m) => m.pushNew(new Map())],
  [0x8f, (m) => m.pushNew(new Set())],
  [code(')'), (m) => m.pushNew(new Tuple([]))],
  [0x85, (m) => m.pushNew(new Tuple([m.pop()]))],
  [0x86, (m) => m.pushNew(new Tuple(popSome(m, 2)))],
  [0x87, (m) => m.pushNew(new Tuple(popSome(m, 3)))],
  [code('t'), (m) => m.pushNew(new Tuple(m.popMark()))],
  [code('l'), (m) => m.pushNew(m.popMark())],
  [code('d'), (m) => m.pushNew(setItems(new Map(), m.popMark()))],
  [0x91, (m) => m.pushNew(new Set(m.popMark()))],
  [code('a'), append],
  [code('e'), appendAll],
  [code('s'), setItem],
  [code('u'), setAllItems],
  [0x90, addAll],
  // Objects
  [code('c'), (m, host) => m.push(host.name(textOf(m.takeLine()), textOf(m.takeLine())))],
  [0x93, nameFromStack],
  [code('R'), (m) => pushCall(m, ...popCall(m))],
  [0x81, (m) => pushCall(m, ...popCall(m))],
  [0x92, makeWithNames],
  [code('i'), (m, host) => pushCall(m, host.name(textOf(m.takeLine()), textOf(m.takeLine())), m.popMark())],
  [code('o'), (m) => pushCall(m, ...splitFirst(m.popMark()))],
  [code('b'), build],
  [code('Q'), (m, host) => m.push(host.persistent(m.pop()))],
  [0x82, refuseExtension],
  [0x83, refuseExtension],
  [0x84, refuseExtension],
]);

function checkProtocol(machine: Machine): void {
  const [protocol] = machine.take(1);
  if (protocol < 2 || protocol > 5)
    throw new PickleError(`its pickle has protocol ${protocol}; read here are 2 to 5`);
}

function refuseExtension(): never {
  throw new PickleError(
    "its pickle uses Python's extension registry, which files of weights have no need of",
  );
}

/** Two's complement, little-endian; a bigint beyond 2^53. */
function integerOf(bytes: Buffer): number | bigint {
  if (bytes.length > MOST_DIGITS)
    throw new PickleError(`its pickle has a whole number of ${bytes.length} bytes`);
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]);
  const signed = BigInt.asIntN(8 * bytes.length, value);
  return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
}

function shortLength(length: number): number {
  if (length < 0 || length > MOST_DIGITS)
    throw new PickleError(`its pickle has a whole number of ${length} bytes`);
  return length;
}

function longLength(machine: Machine): number {
  return Number(machine.take(8).readBigUInt64LE());
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new PickleError("its pickle has a text that isn't UTF-8", { cause });
  }
}

function popSome(machine: Machine, count: number): PickleValue[] {
  return Array.from({ length: count }, () => machine.pop()).reverse();
}

function append(machine: Machine): void {
  const item = machine.pop();
  machine.topList().push(item);
}

function appendAll(machine: Machine): void {
  const items = machine.popMark();
  const list = machine.topList();
  for (const item of items) list.push(item);
}

function setItem(machine: Machine): void {
  const items = popSome(machine, 2);
  setItems(machine.topDict(), items);
}

function setAllItems(machine: Machine): void {
  const items = machine.popMark();
  setItems(machine.topDict(), items);
}

/** Key, value, key, value, ...; keys are names in a `Map`, so that none of them means anything to JavaScript. */
function setItems(dict: Dict, items: readonly PickleValue[]): Dict {
  if (items.length % 2 === 1) throw new PickleError('its pickle sets an item without a value');
  for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
  return dict;
}

function addAll(machine: Machine): void {
  const items = machine.popMark();
  const set = machine.topSet();
  for (const item of items) set.add(item);
}

function nameFromStack(machine: Machine, host: PickleHost): void {
  const name = machine.popText();
  machine.push(host.name(machine.popText(), name));
}

function popCall(machine: Machine): [subject: PickleValue, args: readonly PickleValue[]] {
  const { items } = machine.popTuple();
  return [machine.pop(), items];
}

/** Calls a function, or makes an object of a class, which becomes a record unless it is a container. */
function pushCall(machine: Machine, subject: PickleValue, args: readonly PickleValue[]): void {
  const value = call(subject, args);
  // A pickle can call with the same large value many times.
  machine.countOperations(lengthOf(value));
  machine.pushNew(value);
}

function call(subject: PickleValue, args: readonly PickleValue[]): PickleValue {
  if (subject instanceof RecordClass) return recordOf(subject, args);
  if (!(subject instanceof Named) || !subject.call)
    throw new PickleError(`its pickle calls ${describeValue(subject)}, which can't be called`);
  return subject.call(args);
}

function lengthOf(value: PickleValue): number {
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length;
  return value instanceof Map || value instanceof Set ? value.size : 0;
}

function makeWithNames(machine: Machine): void {
  const named = machine.pop();
  const [subject, args] = popCall(machine);
  if (!(named instanceof Map) || named.size > 0)
    throw new PickleError(`its pickle makes ${describeValue(subject)} of arguments with names`);
  pushCall(machine, subject, args);
}

function splitFirst(items: readonly PickleValue[]): [PickleValue, readonly PickleValue[]] {
  const [first = null, ...rest] = items;
  return [first, rest];
}

/** What a class was called with is no state; of some objects it is all there is. */
function recordOf({ name }: RecordClass, args: readonly PickleValue[]): Record {
  const record = new Record(name);
  if (args.length > 0) record.state = new Tuple(args);
  return record;
}

/** Gives an object its state. Dicts of weights have some (`_metadata`), which nothing needs. */
function build(machine: Machine): void {
  const state = machine.pop();
  const subject = machine.top();
  if (subject instanceof Record) subject.state = state;
  else if (!(subject instanceof Map))
    throw new PickleError(`its pickle gives a state to ${describeValue(subject)}, which has none`);
}
