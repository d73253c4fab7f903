import { z } from 'zod';
import { withoutAdded } from './added.ts';
import { cleanConfig } from './canonical.ts';
import type {
  Component,
  ConfigIssue,
  Exports,
  NeededFile,
  Resources,
  Role,
  SmokeChanges,
  SmokeContext,
  WiredInputs,
  WiringIssue,
} from './component.ts';
import type { Costs, UseCosts } from './costs.ts';
import { explainZodError, withArticle } from './issues.ts';
import type { Json, JsonObject } from './json.ts';
import { isComponent, rememberSource } from './source.ts';

/** A component whose names are known to the compiler: `Component<'network'> & Offering<'relu1_2' | 'relu2_2'>`. */
export interface Offering<Names extends string> {
  readonly offers: readonly Names[];
}

/** The names that a component offers; `string` where the compiler doesn't know them. */
export type OfferedBy<C> = C extends Offering<infer Names> ? Names : string;

/** The inputs of a component by name; `undefined` where the config leaves one out. */
export type NestedComponents = { readonly [name: string]: Component | undefined };

/** Paths by name, some with more than the path. One that is undefined isn't needed. */
export interface NeededFiles {
  readonly [name: string]: string | NeededFile | undefined;
}

export interface Definition<R extends Role, S extends z.ZodObject, Names extends string = never> {
  readonly role: R;
  /** Part of every key: never rename. */
  readonly kind: string;
  /**
   * Count it up when the same config means something else than before (1 if absent). A new field with a value that means
   * what was meant before is `added`: results stay valid.
   */
  readonly version?: number;
  /** A `z.strictObject`; its output, `component(...)` fields included, must be JSON. */
  readonly schema: S;
  /** `new URL('./stage.ts', import.meta.url).href` of the module that exports `run`; absent for leaves. */
  readonly run?: string;
  /** The same for the module that exports `load`; absent where no stage uses the result as an input. */
  readonly load?: string;
  /** Lifts components out of the (valid) input: `(input) => ({ network: input.loss.perceptual?.network })`. */
  readonly inputs?: (input: z.input<S>) => NestedComponents;
  /**
   * Defaults that depend on other fields, for those that are absent: `({ steps }) => ({ warmup: steps / 10 })`.
   * They count like values that were given, in keys as well.
   */
  readonly derive?: (config: z.output<S>) => { readonly [field: string]: Json };
  /**
   * Absolute paths of files that are part of the meaning, or of folders of such files. Paths come from the input: they
   * belong in no config. A `NeededFile` is one file, with its digest or where it can be had.
   */
  readonly files?: (config: z.output<S>, input: z.input<S>) => NeededFiles;
  /** What the schema can't see: relations between fields, names that an input must offer. */
  readonly check?: (
    config: z.output<S>,
    inputs: NestedComponents,
    input: z.input<S>,
  ) => readonly ConfigIssue[];
  /** Names that users of this component may refer to, such as the metrics of an evaluation: a list, or those of this config. */
  readonly offers?: readonly Names[] | ((config: z.output<S>) => readonly Names[]);
  /** What components that use this one may rely on: `{ stride: config.stride }`; nothing of what isn't known yet. */
  readonly provides?: (
    config: z.output<S>,
    input: z.input<S>,
  ) => { readonly [fact: string]: Json | undefined };
  /**
   * What doesn't fit the inputs, those that the framework wires included: relations of `framework/stage/expect.ts`, or
   * issues of your own. An input that doesn't say a fact is believed.
   */
  readonly expects?: (config: z.output<S>, inputs: WiredInputs) => readonly WiringIssue[];
  /**
   * What the stage needs of a machine: the most cores that it can use, the most memory that it takes (MiB). Hints for
   * the scheduler, never part of a key.
   */
  readonly resources?: (config: z.output<S>) => Resources;
  /** How `peco-exp export` writes a result for other programs; depends on the config where not every result has a format. */
  readonly exports?: Exports | ((config: z.output<S>) => Exports);
  /**
   * Of a report, the same as `run` for the module that exports `pages`: files that also say how the results were made. They
   * lie beside those of `run` and are in no key.
   */
  readonly pages?: string;
  /**
   * The smallest size at which every code path of the stage still runs, for `--smoke`: changes of the input, nested fields
   * one by one, `undefined` to take a field out. Its own fields only, no nested component's. All components together must
   * still fit: see "Smoke sizes" in ARCHITECTURE.md. A config that is as small already changes nothing.
   */
  readonly smoke?: (config: z.output<S>, context: SmokeContext) => SmokeChanges;
  /**
   * What the stage computes: pure arithmetic, from the config and what its inputs provide. A part that can't be known, such
   * as the images of data that isn't there, is left out.
   */
  readonly costs?: (config: z.output<S>, inputs: WiredInputs) => Costs | undefined;
  /** What its result costs those that use it, for an image of so many pixels a side. They see it as `use` of their input. */
  readonly use?: (config: z.output<S>, size: number) => UseCosts | undefined;
  /**
   * Path of the field that says how long it trains, such as `'steps'` or, where a config counts so, `'epochs'`: the unit
   * of the rungs of a halving. To give it is to say that `run` stops at
   * `context.until` and goes on from `context.inputs.previous`.
   */
  readonly steps?: string | ((config: z.output<S>) => string);
}

/** Makes components of one kind. Never throws: what is wrong with the input is in the component's `issues`. */
export type Constructor<R extends Role, S extends z.ZodObject, Names extends string = never> = (
  ...input: Arguments<InputOf<S>>
) => Component<R, ConfigOf<S>> & ([Names] extends [never] ? unknown : Offering<Names>);

/**
 * What a constructor takes: the input of its schema. Editors find the comments of fields here, which they don't in the
 * type of zod, which makes new fields of the same names.
 */
export type InputOf<S extends z.ZodObject> =
  S extends z.ZodObject<infer Shape> ? WithComments<z.input<S>, Shape> : never;

/**
 * The same type, whose fields are also declared where those of the shape are. Conditional, so that editors and errors show
 * its fields, and not its name.
 */
type WithComments<Input, Shape> = [Input] extends [object]
  ? {
      [Field in keyof (Input & Declared<Shape>)]: Field extends keyof Input & keyof Shape
        ? NestedInput<Input[Field], Shape[Field]>
        : (Input & Declared<Shape>)[Field];
    }
  : never;

type Declared<Shape> = { [Field in keyof Shape]?: unknown };

/** Groups of fields are described in their turn; other values are as they are. */
type NestedInput<Input, Schema> =
  Schema extends z.ZodObject<infer Shape>
    ? WithComments<Input, Shape>
    : Schema extends z.ZodPrefault<infer Inner> | z.ZodDefault<infer Inner> | z.ZodOptional<infer Inner>
      ? NestedInput<Exclude<Input, undefined>, Inner> | Extract<Input, undefined>
      : Input;

/** Without a required field, the config itself may be left out: `inception()`. */
type Arguments<Input> = Partial<Input> extends Input ? [input?: Input] : [input: Input];

/** The config of a component as stages see it: the schema's output, defaults applied. */
export type ConfigOf<S extends z.ZodObject> = z.output<S> extends JsonObject ? z.output<S> : JsonObject;

/**
 * Defines a kind of component and returns its constructor:
 *
 * ```ts
 * export const vgg = defineComponent({
 *   role: 'network',
 *   kind: 'vgg',
 *   schema: z.strictObject({ width: z.int().positive().default(32) }),
 *   run: new URL('./stage.ts', import.meta.url).href,
 *   load: new URL('./load.ts', import.meta.url).href,
 *   offers: ['relu1_2', 'relu2_2'],
 * });
 * ```
 */
export function defineComponent<R extends Role, S extends z.ZodObject, const Names extends string = never>(
  definition: Definition<R, S, Names>,
): Constructor<R, S, Names> {
  function construct(input = {} as z.input<S>): Component {
    const made = rememberSource(makeComponent(definition, input), {
      input,
      construct: (other) => construct(other as z.input<S>),
      schema: definition.schema,
    });
    return Object.freeze(made);
  }
  return construct as unknown as Constructor<R, S, Names>;
}

/** A schema field that takes a component of a role; in the config it leaves its kind, such as `"vgg"`. */
export function component<R extends Role>(role: R) {
  return z
    .custom<Component<R>>((value) => isComponent(value) && value.role === role, {
      error: (issue) =>
        isComponent(issue.input)
          ? `expected ${withArticle(role)}, not the ${issue.input.role} "${issue.input.kind}"`
          : `expected ${withArticle(role)}, made by a constructor such as those of peco-exp`,
    })
    .transform((nested) => nested.kind);
}

function makeComponent<R extends Role, S extends z.ZodObject, Names extends string>(
  definition: Definition<R, S, Names>,
  input: z.input<S>,
): Component {
  const { role, kind, run, load } = definition;
  const implementation = { ...(run === undefined ? {} : { run }), ...(load === undefined ? {} : { load }) };
  const parsed = definition.schema.safeParse(input);
  if (!parsed.success) {
    const issues = explainZodError(parsed.error, definition.schema, input);
    // What it offers is unknown now: no other component should complain about names because of it.
    return { role, kind, config: input as JsonObject, implementation, inputs: {}, files: {}, issues };
  }
  try {
    const output = withDerived(parsed.data, definition.derive?.(parsed.data));
    const config = cleanConfig(output);
    const nested = definition.inputs?.(input) ?? {};
    const offers = typeof definition.offers === 'function' ? definition.offers(output) : definition.offers;
    return {
      role,
      kind,
      config,
      keyed: withoutAdded(definition.schema, config),
      ...(definition.version === undefined ? {} : { version: definition.version }),
      implementation,
      inputs: withoutAbsent(nested),
      ...splitFiles(definition.files?.(output, input) ?? {}),
      ...(offers === undefined ? {} : { offers }),
      ...(definition.provides ? { provides: definition.provides(output, input) } : {}),
      ...(definition.expects ? { expects: (wired: WiredInputs) => definition.expects!(output, wired) } : {}),
      ...(definition.resources ? { resources: checkResources(definition.resources(output)) } : {}),
      ...(definition.exports === undefined ? {} : { exports: exportsOf(definition.exports, output) }),
      ...(definition.pages === undefined ? {} : { pages: definition.pages }),
      ...(definition.smoke ? { smoke: (context: SmokeContext) => definition.smoke!(output, context) } : {}),
      ...(definition.costs ? { costs: (wired: WiredInputs) => definition.costs!(output, wired) } : {}),
      ...(definition.use ? { use: (size: number) => definition.use!(output, size) } : {}),
      ...(definition.steps === undefined ? {} : { steps: pathOfSteps(definition.steps, output) }),
      issues: definition.check?.(output, nested, input) ?? [],
    };
  } catch (error) {
    // A bug in the definition, or a config that isn't JSON: told like any other issue, with its place.
    const issues = [{ path: [], message: error instanceof Error ? error.message : String(error) }];
    return { role, kind, config: {}, implementation, inputs: {}, files: {}, issues };
  }
}

function splitFiles(files: NeededFiles): Pick<Component, 'files' | 'needed'> {
  const entries = Object.entries(files);
  const needed = entries.filter((entry): entry is [string, NeededFile] => typeof entry[1] === 'object');
  const paths = entries.flatMap(([name, file]): [string, string][] =>
    file === undefined ? [] : [[name, typeof file === 'string' ? file : file.path]],
  );
  const more = needed.length === 0 ? {} : { needed: Object.fromEntries(needed) };
  return { files: Object.fromEntries(paths), ...more };
}

function withDerived<T extends object>(config: T, derived: { readonly [field: string]: Json } = {}): T {
  const given = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
  const missing = Object.entries(derived).filter(([field]) => !Object.hasOwn(given, field));
  return { ...given, ...Object.fromEntries(missing) } as T;
}

function exportsOf<C>(exports: Exports | ((config: C) => Exports), config: C): Exports {
  return typeof exports === 'function' ? exports(config) : exports;
}

function pathOfSteps<C>(steps: string | ((config: C) => string), config: C): string {
  return typeof steps === 'string' ? steps : steps(config);
}

function checkResources(resources: Resources): Resources {
  for (const [name, value] of Object.entries(resources)) {
    if (value !== undefined && !(value > 0))
      throw new Error(`resources.${name} must be above 0, not ${value}`);
  }
  return resources;
}

function withoutAbsent(nested: NestedComponents): { readonly [name: string]: Component } {
  return Object.fromEntries(
    Object.entries(nested).filter((entry): entry is [string, Component] => entry[1] !== undefined),
  );
}
