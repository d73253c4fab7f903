import fs from 'node:fs';
import path from 'node:path';
import { evaluateBundle } from '../code/evaluate.ts';
import { DocReader } from '../code/field-docs.ts';
import { loadBundles } from '../code/stored-bundles.ts';
import { findProjectFolder } from '../settings/settings.ts';
import { PecoError } from '../stage/errors.ts';
import { describeFields, type FieldDescription } from '../stage/fields.ts';
import { suggest } from '../stage/issues.ts';
import type { Role } from '../stage/roles.ts';
import { isComponent, schemaOf } from '../stage/source.ts';
import { ownPackage } from './package-root.ts';

/** A constructor of components: what it makes, and the fields of its config. */
export interface ComponentDescription {
  /** `vqvae` */
  readonly name: string;
  readonly role: Role;
  readonly kind: string;
  /** The comment at it. */
  readonly doc?: string;
  readonly fields: readonly FieldDescription[];
}

/** What a module exports, and the file that its sources begin with. */
export interface ComponentModule {
  readonly exports: { readonly [name: string]: unknown };
  readonly file: string;
}

/** Those that the package exports, by role as experiments declare them. */
export async function describeLibrary(): Promise<ComponentDescription[]> {
  // Built beside the command line.
  const exports = (await import(new URL('./index.js', import.meta.url).href)) as ComponentModule['exports'];
  return describeModule({ exports, file: path.join(ownPackage(), 'index.ts') });
}

/** @throws PecoError for a file that can't be read or evaluated */
export async function describeFile(file: string): Promise<ComponentDescription[]> {
  const cwd = process.cwd();
  const whole = path.resolve(file);
  if (!fs.existsSync(whole))
    throw new PecoError(`there is no file ${file}`, { code: 'not-found', hint: `looked in ${cwd}` });
  const root = findProjectFolder(path.dirname(whole)) ?? cwd;
  const bundle = (await loadBundles([whole], root)).get(whole)!;
  const exports = await evaluateBundle(bundle, { shown: file, cwd });
  return describeModule({ exports, file: whole });
}

/** Its constructors, those of one role beside each other. Fields are those of schemas, words those of comments. */
export async function describeModule({ exports, file }: ComponentModule): Promise<ComponentDescription[]> {
  const own = ownPackage();
  const reader = new DocReader({
    'peco-exp': path.join(own, 'index.ts'),
    'peco-exp/kit': path.join(own, 'kit.ts'),
  });
  const files = await reader.exportsOf(file);
  const described: ComponentDescription[] = [];
  for (const [name, value] of Object.entries(exports)) {
    const made = tryToMake(value);
    if (!made) continue;
    const docs = await reader.docsOf(files.get(name) ?? file);
    const schema = schemaOf(made);
    const doc = docs.docOfConstant(name);
    described.push({
      ...{ name, role: made.role, kind: made.kind },
      ...(doc === undefined ? {} : { doc }),
      fields: schema ? describeFields(schema, docs.docOf) : [],
    });
  }
  return described;
}

/** A constructor makes a component of anything: what is wrong is in its issues. Other functions throw, or make others. */
function tryToMake(value: unknown) {
  if (typeof value !== 'function') return undefined;
  try {
    const made: unknown = value({});
    return isComponent(made) ? made : undefined;
  } catch {
    return undefined;
  }
}

/** @throws PecoError `unknown-name` with near names */
export function findComponent(all: readonly ComponentDescription[], wanted: string): ComponentDescription {
  const found = all.find(({ name }) => name === wanted) ?? all.find(({ kind }) => kind === wanted);
  if (found) return found;
  const hint = suggest(
    wanted,
    all.map(({ name }) => name),
  );
  throw new PecoError(`there is no component "${wanted}"`, {
    code: 'unknown-name',
    ...(hint === undefined ? {} : { hint }),
  });
}
