import type { Attributes, Node, Value } from './value.ts';
import { sameShape, sizeOf, splatOf } from './value.ts';

/**
 * Biases and constant factors become parts of the matrix product that they follow or precede, which saves a pass over
 * memory each: `x w + b` is one Gemm, and `(c x) w` and `c (x w)` are products with `alpha`.
 *
 * @param nodes in the order of execution
 * @param results values that leave the graph and so must exist as they are
 */
export function fuseProducts(nodes: readonly Node[], results: readonly Value[]): Node[] {
  const graph = new Rewriter(nodes, results);
  for (const node of nodes) if (node.op === 'Add' && graph.has(node)) addBias(graph, node);
  for (const node of graph.list()) if (node.op === 'Mul' && graph.has(node)) scaleProduct(graph, node);
  return graph.list();
}

const isProduct = ({ op }: Node) => op === 'Gemm' || op === 'FusedMatMul';
const movesOnly = ({ op }: Node) => op === 'Reshape' || op === 'Transpose';

/** `Add(Gemm(a, b), bias)` with nothing but a Reshape in between. */
function addBias(graph: Rewriter, add: Node): void {
  for (const [product, bias] of [add.inputs, [...add.inputs].reverse()] as [Value, Value][]) {
    const last = graph.soleMaker(product);
    const reshaped = last?.op === 'Reshape' ? last : undefined;
    const gemm = reshaped ? graph.soleMaker(reshaped.inputs[0]!) : last;
    if (gemm?.op !== 'Gemm' || gemm.inputs.length > 2) continue;
    const matrix = gemm.outputs[0]!;
    const sum = add.outputs[0]!;
    const columns = matrix.shape[1]!;
    const isBias = bias.shape.length === 1 && bias.shape[0] === columns;
    if (!isBias || sum.shape.at(-1) !== columns || !sameShape(product.shape, sum.shape)) continue;
    const biased = { ...gemm, inputs: [...gemm.inputs, bias] };
    // In the place of the Add, since the bias may be made after the product.
    graph.remove(gemm);
    if (reshaped) graph.remove(reshaped);
    graph.replace(
      add,
      reshaped ? [biased, { ...reshaped, outputs: [sum] }] : [{ ...biased, outputs: [sum] }],
    );
    return;
  }
}

/** `Mul(x, c)` of a product `x`, or whose only readers are products. */
function scaleProduct(graph: Rewriter, mul: Node): void {
  for (const [x, scalar] of [mul.inputs, [...mul.inputs].reverse()] as [Value, Value][]) {
    const factor = splatOf(scalar);
    const scaled = mul.outputs[0]!;
    const same = x.type === 'float32' && sizeOf(x.shape) === sizeOf(scaled.shape);
    if (factor === undefined || !isModerate(factor) || sizeOf(scalar.shape) !== 1) continue;
    if (!same || graph.isResult(scaled)) continue;
    if (x.shape.length !== scaled.shape.length) continue;
    const source = productOf(graph, x);
    const readers = source ? [] : productsReading(graph, scaled);
    if (!source && !readers) continue;
    const products = source ? [source] : [...new Set(readers)];
    if (!products.every((each) => isModerate(alphaOf(each) * factor))) continue;
    if (source) graph.replace(source, [withFactor(source, factor, true)]);
    else for (const reader of products) graph.replace(reader, [withFactor(reader, factor, false)]);
    graph.remove(mul);
    graph.redirect(scaled, x);
    return;
  }
}

/** Other factors could overflow, or save from overflowing, where they are now and not where they would be. */
function isModerate(factor: number): boolean {
  return Math.abs(factor) >= 2 ** -20 && Math.abs(factor) <= 2 ** 20;
}

/** The product that makes a value which nothing else reads, with only moves in between. */
function productOf(graph: Rewriter, value: Value): Node | undefined {
  const maker = graph.soleMaker(value);
  if (maker && movesOnly(maker)) return productOf(graph, maker.inputs[0]!);
  return maker && isProduct(maker) ? maker : undefined;
}

/** All that read a value, with only moves in between; undefined if one of them is no product of it with another. */
function productsReading(graph: Rewriter, value: Value): Node[] | undefined {
  if (graph.isResult(value)) return undefined;
  const found: Node[] = [];
  for (const reader of graph.readers(value)) {
    const places = reader.inputs.flatMap((input, place) => (input === value ? [place] : []));
    if (movesOnly(reader) && places.join() === '0') {
      const beyond = productsReading(graph, reader.outputs[0]!);
      if (!beyond) return undefined;
      found.push(...beyond);
    } else if (isProduct(reader) && places.length === 1 && places[0]! < 2) found.push(reader);
    else return undefined;
  }
  // A product of the value with itself, moved, would need the factor twice.
  return new Set(found).size === found.length ? found : undefined;
}

function alphaOf(node: Node, name = 'alpha'): number {
  const old = node.attributes[name];
  return old && 'float' in old ? old.float : 1;
}

function withFactor(node: Node, factor: number, biasToo: boolean): Node {
  const times = (name: string): Attributes => ({ [name]: { float: alphaOf(node, name) * factor } });
  const beta = biasToo && node.inputs.length > 2 ? times('beta') : {};
  return { ...node, attributes: { ...node.attributes, ...times('alpha'), ...beta } };
}

/** A list of nodes that can be changed, with who makes and who reads each value. */
class Rewriter {
  private readonly places: (readonly Node[])[];
  private readonly placeOf = new Map<Node, number>();
  private readonly makers = new Map<Value, Node>();
  private readonly readersOf = new Map<Value, Set<Node>>();
  private readonly results: ReadonlySet<Value>;

  constructor(nodes: readonly Node[], results: readonly Value[]) {
    this.results = new Set(results);
    this.places = nodes.map((node) => [node]);
    for (const [place, node] of nodes.entries()) this.enter(node, place);
  }

  list(): Node[] {
    return this.places.flat();
  }

  has(node: Node): boolean {
    return this.placeOf.has(node);
  }

  isResult(value: Value): boolean {
    return this.results.has(value);
  }

  readers(value: Value): readonly Node[] {
    return [...(this.readersOf.get(value) ?? [])];
  }

  /** The node that makes a value which only one node reads, in one place. */
  soleMaker(value: Value): Node | undefined {
    const [reader, ...others] = this.readers(value);
    if (!reader || others.length > 0 || this.isResult(value)) return undefined;
    return reader.inputs.filter((input) => input === value).length === 1 ? this.makers.get(value) : undefined;
  }

  remove(node: Node): void {
    this.replace(node, []);
  }

  /** Puts other nodes in the place of one. */
  replace(node: Node, by: readonly Node[]): void {
    const place = this.placeOf.get(node)!;
    this.placeOf.delete(node);
    for (const input of node.inputs) if (input) this.readersOf.get(input)?.delete(node);
    this.places[place] = this.places[place]!.flatMap((each) => (each === node ? by : [each]));
    for (const each of by) this.enter(each, place);
  }

  /** Lets the readers of one value read another. */
  redirect(from: Value, to: Value): void {
    for (const reader of this.readers(from)) {
      const inputs = reader.inputs.map((input) => (input === from ? to : input));
      this.replace(reader, [{ ...reader, inputs }]);
    }
  }

  private enter(node: Node, place: number): void {
    this.placeOf.set(node, place);
    for (const output of node.outputs) this.makers.set(output, node);
    for (const input of node.inputs) {
      if (!input) continue;
      const readers = this.readersOf.get(input) ?? new Set();
      this.readersOf.set(input, readers.add(node));
    }
  }
}
