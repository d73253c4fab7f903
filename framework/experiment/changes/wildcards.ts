import { valueAt } from '../../stage/issues.ts';
import { isComponent } from '../../stage/source.ts';
import { fits } from '../../stage/wildcard.ts';
import type { Problem } from '../problem.ts';
import { get, inForce, innermost, inside, namesInSchema } from '../tree.ts';
import type { FieldPath } from './path.ts';

/**
 * The fields that a path with wildcards means: `tokenizers.*.steps`, `tokenizers.pe*.loss.perceptual.weight`. A star is
 * any part of one name. Only fields that are there count, or that the schema has in an object that is there: a
 * tokenizer without such a field stays as it is.
 */
export function expandPath(tree: unknown, path: FieldPath): readonly FieldPath[] | Problem {
  if (!path.some(isPattern)) return [path];
  const found = pathsBelow(tree, [], path).filter((one) => isField(tree, one));
  if (found.length > 0) return found;
  const hint = 'a star stands for names of one level: tokenizers.*.steps';
  return { path, message: 'there is no such field', hint };
}

function isPattern(name: string): boolean {
  return name.includes('*');
}

function pathsBelow(tree: unknown, above: FieldPath, rest: FieldPath): FieldPath[] {
  const [name, ...others] = rest;
  if (name === undefined) return [above];
  const names = isPattern(name) ? namesAt(tree, above).filter((one) => fits(name, one)) : [name];
  return names.flatMap((one) => pathsBelow(tree, [...above, one], others));
}

/** Of a component those of its config, defaults included. */
function namesAt(tree: unknown, path: FieldPath): string[] {
  const value = get(tree, path);
  const fields = isComponent(value) ? value.config : (inside(value) ?? inForce(tree, path));
  return typeof fields === 'object' && fields !== null ? Object.keys(fields) : [];
}

function isField(tree: unknown, path: FieldPath): boolean {
  const found = innermost(tree, path);
  if (!found) return get(tree, path) !== undefined;
  const { component, rest } = found;
  if (rest.length === 0) return false;
  if (valueAt(component.config, rest) !== undefined) return true;
  const parent = rest.slice(0, -1);
  return (
    valueAt(component.config, parent) !== undefined && namesInSchema(component, parent).includes(rest.at(-1)!)
  );
}
