import {
  type Dict,
  describeValue,
  PickleEnd,
  PickleError,
  type PickleList,
  type PickleValue,
  Tuple,
} from './values.ts';

/** Far more than a file of weights needs, and few enough that a hostile one can't take all memory. */
const MOST_OPERATIONS = 4_000_000;
const MOST_CONTAINERS = 1_000_000;

/** The state of a pickle's little machine: its bytes, a stack with marks, and what it remembers by number. */
export class Machine {
  position: number;
  readonly #bytes: Buffer;
  #stack: PickleValue[] = [];
  /** Stacks below the marks, the innermost last. */
  readonly #below: PickleValue[][] = [];
  readonly #memo = new Map<number, PickleValue>();
  #operations = 0;
  #containers = 0;

  constructor(bytes: Buffer, position: number) {
    this.#bytes = bytes;
    this.position = position;
  }

  /** Moves on by so many bytes and returns them: a view, not a copy. */
  take(count: number): Buffer {
    if (count < 0) throw new PickleError(`its pickle has a length of ${count}`);
    const end = this.position + count;
    if (end > this.#bytes.length) throw new PickleEnd('its pickle ends too early');
    const taken = this.#bytes.subarray(this.position, end);
    this.position = end;
    return taken;
  }

  /** Up to the next line feed, which is passed over. */
  takeLine(): Buffer {
    const end = this.#bytes.indexOf(0x0a, this.position);
    if (end < 0) throw new PickleEnd('its pickle ends too early');
    const line = this.#bytes.subarray(this.position, end);
    this.position = end + 1;
    return line;
  }

  /** Counts what has been done, or the elements of what a call has copied. */
  countOperations(count: number): void {
    this.#operations += count;
    if (this.#operations > MOST_OPERATIONS)
      throw new PickleError(
        `its pickle has more than ${MOST_OPERATIONS} operations: that is no file of weights`,
      );
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  /** Pushes a container, of which there may not be any number. */
  pushNew(value: PickleValue): void {
    if (++this.#containers > MOST_CONTAINERS)
      throw new PickleError(
        `its pickle makes more than ${MOST_CONTAINERS} objects: that is no file of weights`,
      );
    this.#stack.push(value);
  }

  pop(): PickleValue {
    if (this.#stack.length === 0) throw new PickleError('its pickle takes a value from an empty stack');
    return this.#stack.pop()!;
  }

  top(): PickleValue {
    const { length } = this.#stack;
    if (length === 0) throw new PickleError('its pickle looks at an empty stack');
    return this.#stack[length - 1];
  }

  mark(): void {
    if (++this.#containers > MOST_CONTAINERS) throw new PickleError('its pickle sets too many marks');
    this.#below.push(this.#stack);
    this.#stack = [];
  }

  /** Everything above the last mark, which is gone then. */
  popMark(): PickleValue[] {
    const below = this.#below.pop();
    if (!below) throw new PickleError('its pickle goes back to a mark that it has not set');
    const above = this.#stack;
    this.#stack = below;
    return above;
  }

  /** What `POP` does: takes a value, or a mark that nothing is above. */
  drop(): void {
    if (this.#stack.length > 0) this.#stack.pop();
    else this.popMark();
  }

  remember(place: number): void {
    this.#memo.set(place, this.top());
  }

  rememberNext(): void {
    this.#memo.set(this.#memo.size, this.top());
  }

  recall(place: number): PickleValue {
    const value = this.#memo.get(place);
    if (value === undefined)
      throw new PickleError(`its pickle refers to ${place}, which it has not remembered`);
    return value;
  }

  popTuple(): Tuple {
    const value = this.pop();
    if (!(value instanceof Tuple))
      throw new PickleError(`its pickle gives ${describeValue(value)} where a tuple belongs`);
    return value;
  }

  popText(): string {
    const value = this.pop();
    if (typeof value !== 'string')
      throw new PickleError(`its pickle gives ${describeValue(value)} where a text belongs`);
    return value;
  }

  /** The list, dict or set on top, which gets more members. */
  topList(): PickleList {
    const value = this.top();
    if (!Array.isArray(value)) throw new PickleError(`its pickle appends to ${describeValue(value)}`);
    return value;
  }

  topDict(): Dict {
    const value = this.top();
    if (!(value instanceof Map)) throw new PickleError(`its pickle sets an item of ${describeValue(value)}`);
    return value;
  }

  topSet(): Set<PickleValue> {
    const value = this.top();
    if (!(value instanceof Set)) throw new PickleError(`its pickle adds to ${describeValue(value)}`);
    return value;
  }
}
