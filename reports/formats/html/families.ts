import type { FullReport } from '../../report.ts';

type Stage = FullReport['stages'][number];

/** Stages that differ in their seeds alone. */
export interface Family {
  /** Id without the seed: `tokenizer/peco`. */
  readonly id: string;
  /** What it is compared with: stages of its role, of a task those of the same task. */
  readonly group: string;
  /** What distinguishes it in its group. */
  readonly label: string;
  readonly stages: readonly Stage[];
  /** Indices of the families that it waits for. */
  readonly needs: readonly number[];
}

/** In the order of the stages. */
export function familiesOf(stages: FullReport['stages']): readonly Family[] {
  const byId = new Map<string, Stage[]>();
  for (const stage of stages) {
    const id = familyId(stage.id);
    byId.set(id, [...(byId.get(id) ?? []), stage]);
  }
  const places = new Map([...byId.keys()].map((id, index) => [id, index] as const));
  return [...byId].map(([id, members]) => {
    const needs = members.flatMap((member) =>
      member.needs.flatMap((need) => places.get(familyId(need)) ?? []),
    );
    return { id, ...placeOf(id, members[0]), stages: members, needs: [...new Set(needs)] };
  });
}

function familyId(id: string): string {
  return id.replace(/\/seed-\d+$/, '');
}

/** Stages of a task are called by the row, all others by what follows their role. */
function placeOf(id: string, { role, cells }: Stage): Pick<Family, 'group' | 'label'> {
  const [cell] = cells;
  const own = id.startsWith(`${role}/`) ? id.slice(role.length + 1) : id;
  if (cell === undefined || role === 'evaluation') return { group: role, label: own };
  return { group: `${role} ${cell.task}`, label: cell.variant };
}
