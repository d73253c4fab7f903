/**
 * The shape of an experiment: what its components do, where it declares them, what they are wired to and what their
 * stages are called. The framework reads all of it here, so that a new role is a new row of this table.
 *
 * A row of the results' table is one component of every group of `rows`, with all `tasks` and what measures it.
 */
const table = {
  /** Leaves: files that a `load` module reads, no stage. */
  dataset: {
    plural: 'datasets',
    declared: { as: 'members', group: 'data', names: ['train', 'test'] },
    inputs: {},
  },
  /** Only inside of other components, such as that of a perceptual loss. */
  network: {
    plural: 'networks',
    inputs: { train: 'dataset' },
    seeds: 'own',
  },
  tokenizer: {
    plural: 'tokenizers',
    declared: { as: 'rows', group: 'tokenizers' },
    inputs: { train: 'dataset' },
    seeds: 'own',
    id: 'tokenizer/{tokenizer}{tag}',
    rankedBy: 'evaluation',
  },
  evaluation: {
    plural: 'evaluations',
    declared: { as: 'one', group: 'evaluation' },
    inputs: { train: 'dataset', test: 'dataset', tokenizer: 'tokenizer' },
    seeds: 'inputs',
    id: 'evaluation/{tokenizer}{tag}',
    cells: 'tokenizer',
  },
  pretraining: {
    plural: 'pretrainings',
    declared: { as: 'rows', group: 'pretraining' },
    inputs: { train: 'dataset', tokenizer: 'tokenizer' },
    seeds: 'each',
    id: 'pretraining/{tokenizer}/{pretraining}{tag}',
  },
  downstream: {
    plural: 'downstream tasks',
    declared: { as: 'tasks', group: 'downstream', bare: 'scratch' },
    inputs: { train: 'dataset', test: 'dataset', pretrained: 'pretraining' },
    seeds: 'each',
    id: 'downstream/{row}{tag}/{downstream}',
    cells: true,
  },
  /** Not declared: it ends a rung of a halved sweep. */
  selection: {
    plural: 'selections',
    inputs: 'measures',
  },
  /** Gets every cell of the table. */
  report: {
    plural: 'reports',
    declared: { as: 'one', group: 'report' },
    inputs: 'cells',
    id: 'report',
  },
} as const satisfies { readonly [role: string]: RoleSpec<string> };

/** What a component does in an experiment. */
export type Role = keyof typeof table;

/** The table with its literals, for types. */
export type Roles = typeof table;

/** Tasks that aren't called by their components. */
export type MeasuredTask = {
  [R in Role]: Roles[R] extends { readonly cells: infer Task extends string } ? Task : never;
}[Role];

/** In an order in which they can run: each role comes after those that are wired to it. */
export const roles: { readonly [R in Role]: RoleSpec<Role> } = table;

interface RoleSpec<Name extends string> {
  /** In messages, and for people. */
  readonly plural: string;
  /** Absent for what is only inside of other components. */
  readonly declared?: Declared;
  /**
   * What the framework wires to it, by the name of the input. Of a role of `members` it is the member of that name. What
   * a row doesn't have is left out. A report has all cells instead, a selection the measures of all points of its rung;
   * both are made of those that are there if some are missing.
   */
  readonly inputs: { readonly [input: string]: Name } | 'cells' | 'measures';
  /**
   * How often its stage is made: for `each` seed of the experiment; by its `own` seed if its config names one (a schema
   * with `seed: z.int().optional()` offers both) and for each seed otherwise; or as often as its `inputs`. Absent: once.
   */
  readonly seeds?: 'each' | 'own' | 'inputs';
  /**
   * Id of its stages in a row, without the seed: `{role}` is the name of the row's component of that role, `{row}` that
   * of the row, `{tag}` the swept fields behind the stage.
   */
  readonly id?: string;
  /** Its stages fill cells of the table: those of the task of this name, or of the component's (`true`). */
  readonly cells?: string | true;
  /** Its stages can be halved: the role whose measures rank them. */
  readonly rankedBy?: Name;
}

/** Where an experiment declares components of a role: the field `group`, and what is in it. */
type Declared =
  /** One by each of these names. */
  | { readonly as: 'members'; readonly group: string; readonly names: readonly string[] }
  /** By names of the user's choice; every combination with those of other groups is a row. */
  | { readonly as: 'rows'; readonly group: string }
  /** By names of the user's choice, for all rows; those in the field `bare` are for a row of that name without the rest. */
  | { readonly as: 'tasks'; readonly group: string; readonly bare: string }
  /** A component that may be left out. */
  | { readonly as: 'one'; readonly group: string };

export type DeclaredAs<As extends Declared['as']> = Extract<Declared, { readonly as: As }>;

/** A role that an experiment declares in a field of its own. */
export interface DeclaredRole<D extends Declared = Declared> {
  readonly role: Role;
  readonly spec: RoleSpec<Role>;
  readonly declared: D;
}

/** The roles that an experiment declares in one of these ways, in the table's order; without any: all. */
export function declaredRoles<As extends Declared['as'] = Declared['as']>(
  ...as: readonly As[]
): readonly DeclaredRole<DeclaredAs<As>>[] {
  return (Object.entries(roles) as [Role, RoleSpec<Role>][]).flatMap(([role, spec]) => {
    const { declared } = spec;
    const fits =
      declared !== undefined && (as.length === 0 || (as as readonly string[]).includes(declared.as));
    return fits ? [{ role, spec, declared: declared as DeclaredAs<As> }] : [];
  });
}

/** The fields of an experiment that declare components. */
export function groupFields(declared: readonly DeclaredRole[] = declaredRoles()): readonly string[] {
  const fields = declared.flatMap((one) =>
    one.declared.as === 'tasks' ? [one.declared.group, one.declared.bare] : [one.declared.group],
  );
  return [...new Set(fields)];
}

/** Those whose components are in rows of the table: all but reports. */
export function isInRows({ spec }: DeclaredRole): boolean {
  return spec.inputs !== 'cells';
}

/** Whether a component of the role is a report: made of all cells. */
export function isReport({ role }: { readonly role: Role }): boolean {
  return roles[role].inputs === 'cells';
}

/** The field of an experiment that declares its report. */
export function reportField(): string {
  return declaredRoles('one').find(isReport)!.declared.group;
}

/** The role of the stages that rank the points of a rung. */
export function selectingRole(): Role {
  return (Object.keys(roles) as Role[]).find((role) => roles[role].inputs === 'measures')!;
}

/** Whether stages of the role are made without the inputs that are missing; those of every other role need all. */
export function acceptsMissing({ role }: { readonly role: Role }): boolean {
  return typeof roles[role].inputs === 'string';
}

/** What is wired to a role, by the name of the input: none for one that gathers cells or measures. */
export function inputsOf(role: Role): { readonly [input: string]: Role } {
  const { inputs } = roles[role];
  return typeof inputs === 'string' ? {} : inputs;
}

/** Whether it's declared by given names, as datasets are: then an input takes the member of its own name. */
export function hasMembers(role: Role): boolean {
  return roles[role].declared?.as === 'members';
}

/** The role whose training successive halving stops early. */
export function halvedRole(): Role {
  return declaredRoles().find(({ spec }) => spec.rankedBy !== undefined)!.role;
}

/** Id of the stages of a component that is inside of another one, without the seed. */
export function nestedId({ role, kind }: { readonly role: Role; readonly kind: string }): string {
  return `${role}/${kind}`;
}

/** A role, what is wired to it, and so on. */
export function upstreamRoles(role: Role): ReadonlySet<Role> {
  const found = new Set<Role>([role]);
  for (const one of found) for (const input of Object.values(inputsOf(one))) found.add(input);
  return found;
}

/** The role of the component that a path in an experiment leads to or into, and how long the component's own path is. */
export function placeOf(
  path: readonly (string | number)[],
): { readonly role: Role; readonly depth: number } | undefined {
  for (const { role, declared } of declaredRoles()) {
    const isBare = declared.as === 'tasks' && path[0] === declared.bare && path[1] === declared.group;
    if (isBare) return path.length < 3 ? undefined : { role, depth: 3 };
    if (path[0] !== declared.group) continue;
    const depth = declared.as === 'one' ? 1 : 2;
    return path.length < depth ? undefined : { role, depth };
  }
  return undefined;
}
