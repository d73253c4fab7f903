import type { z } from 'zod';

type ZodIssue = z.core.$ZodIssue;
type Union = Extract<ZodIssue, { readonly code: 'invalid_union' }>;
type Branch = readonly ZodIssue[];

/** What to say of a value that fits no option of a union. */
export type Verdict =
  /** It is of no sort that any option takes: the choices say it. */
  | { readonly type: 'no option' }
  /** The field that tells the options apart has none of their values. */
  | { readonly type: 'no such kind'; readonly key: string | number }
  /** One option is meant, and this is wrong. */
  | { readonly type: 'nearly'; readonly issues: Branch };

export function judgeUnion(issue: Union): Verdict {
  const branches = branchesOf(issue);
  const near = branches.filter((branch) => !branch.some(isOtherSort));
  if (near.length === 0) return { type: 'no option' };
  const kinds = near.map((branch) => branch.filter(isKind).map(({ path }) => path[0] as string | number));
  const [key] = kinds.reduce((common, keys) => common.filter((one) => keys.includes(one)));
  if (key !== undefined && near.length > 1) return { type: 'no such kind', key };
  const meant = near.filter(
    (_, index) => kinds[index]!.length === Math.min(...kinds.map((keys) => keys.length)),
  );
  const [best] = [...meant].sort((a, b) => a.length - b.length || depthOf(b) - depthOf(a));
  return { type: 'nearly', issues: best! };
}

/** Options of options are options. */
function branchesOf(issue: Union): Branch[] {
  return issue.errors.flatMap((branch) => {
    const [only, ...others] = branch;
    const nested = only?.code === 'invalid_union' && others.length === 0 && only.path.length === 0;
    return nested ? branchesOf(only) : [branch];
  });
}

/** The value itself is of another type, or another value. */
function isOtherSort({ path, code }: ZodIssue): boolean {
  return path.length === 0 && ['invalid_type', 'invalid_value', 'custom', 'invalid_union'].includes(code);
}

/** A field of it has another value than the one that this option takes: `type: 'cosine'`. */
function isKind(issue: ZodIssue): boolean {
  return issue.path.length === 1 && issue.code === 'invalid_value' && issue.values.length === 1;
}

function depthOf(issues: Branch): number {
  return Math.max(0, ...issues.map(({ path }) => path.length));
}
