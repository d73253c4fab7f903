import type { BareOf, Experiment, GroupOf, RoleDeclaredAs } from '../experiment/types.ts';
import type { OfferedBy } from '../stage/define.ts';
import type { MeasuredTask, Role, Roles } from '../stage/roles.ts';

/** Names of variants that an experiment can have, as far as the compiler can know: sweeps add `@field=value`. */
export type VariantOf<E extends Experiment> = RowOf<E> | `${RowOf<E>}@${string}`;

/** Names of tasks in cells: those that are declared, and `tokenizer` for the measures of tokenizers. */
export type TaskOf<E extends Experiment> = NamesOf<E, RoleDeclaredAs<'tasks'>> | MeasuredTask;

/** Names of metrics by task, as their components `offer` them; any where they don't. */
export type MetricsOf<E extends Experiment> = {
  // As keys, so that errors list the names, and not the name of this type.
  readonly [Task in TaskOf<E>]: keyof { [Metric in MetricOf<E, Task>]: Metric } & string;
};

type MetricOf<E extends Experiment, Task extends string> = {
  [R in Role]: Roles[R] extends { readonly cells: infer Cells }
    ? Cells extends string
      ? Task extends Cells
        ? OfferedBy<NonNullable<E[GroupOf<R> & keyof E]>>
        : never
      : NamedMetric<E, Task, R>
    : never;
}[Role];

/** Of a task by its name, in the rows with the rest and in that without. */
type NamedMetric<E extends Experiment, Task extends string, R extends Role> =
  | MemberMetric<E[GroupOf<R> & keyof E], Task>
  | MemberMetric<BareTasks<E, BareOf<R>, GroupOf<R>>, Task>;

type BareTasks<E, Bare extends string, Group extends string> = E extends {
  readonly [B in Bare]: { readonly [G in Group]: infer Tasks };
}
  ? Tasks
  : never;

type MemberMetric<Members, Task extends string> = Members extends { readonly [_ in Task]: infer C }
  ? OfferedBy<NonNullable<C>>
  : never;

/** Of rows: `peco`, `peco/long`, `scratch`. */
type RowOf<E extends Experiment> =
  | NamesOf<E, FirstOfRow>
  | `${NamesOf<E, FirstOfRow>}/${NamesOf<E, Exclude<RoleDeclaredAs<'rows'>, FirstOfRow>>}`
  | BareRow<E, BareOf<RoleDeclaredAs<'tasks'>>>;

type NamesOf<E extends Experiment, R extends Role> = {
  [Group in GroupOf<R>]: keyof E[Group & keyof E] & string;
}[GroupOf<R>];

/** Only where it is declared. */
type BareRow<E extends Experiment, Field extends keyof Experiment> = {
  [F in Field]: E extends { readonly [_ in F]: object } ? F : never;
}[Field];

/** The role of rows to which no other one is wired: rows are called by it. */
type FirstOfRow = {
  [R in RoleDeclaredAs<'rows'>]: [Extract<InputOf<R>, RoleDeclaredAs<'rows'>>] extends [never] ? R : never;
}[RoleDeclaredAs<'rows'>];

type InputOf<R extends Role> = Roles[R]['inputs'][keyof Roles[R]['inputs']];
