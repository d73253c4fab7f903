import { type Part, partsOf, wiredParts } from '../experiment/rows.ts';
import { idOf, type Variant } from '../experiment/variants.ts';
import { hasMembers, type Role, roles } from '../stage/roles.ts';
import type { Nodes } from './nodes.ts';
import { type Replicates, replicatesOf } from './replicates.ts';
import type { Cell, Edges, StageEdge } from './types.ts';

/** The stages of one component of a row, by seed. */
export type EdgesBySeed = ReadonlyMap<number, StageEdge>;

/** The stages of rows as the table of roles wires them; each is made when it is asked for, after what is wired to it. */
export interface RowStages {
  /** Gives a part stages that were made in another way. */
  put(part: Part, edges: EdgesBySeed): void;
  /** Makes the stages of a part for all its seeds. */
  make(variant: Variant, part: Part): void;
  /** The cells of a row that the stages of a role fill, seed by seed. */
  cells(variant: Variant, role: Role): readonly Cell[];
}

export function createRowStages(seeds: readonly number[], nodes: Nodes): RowStages {
  const made = new Map<Part, Map<number, StageEdge>>();

  function replicatesOfPart(variant: Variant, part: Part): Replicates {
    const each = { seeds, shared: false };
    switch (roles[part.role].seeds) {
      case 'own':
        return replicatesOf(part.component, seeds);
      case 'inputs': {
        const inputs = stagesBefore(variant, part.role).map(([, one]) => replicatesOfPart(variant, one));
        return inputs.find(({ shared }) => !shared) ?? inputs[0] ?? each;
      }
      default:
        return each;
    }
  }

  /** That of the seed, or the one that all seeds share. */
  function edgeAt(variant: Variant, part: Part, wanted: number): StageEdge {
    const { seeds: own, shared } = replicatesOfPart(variant, part);
    const seed = own.includes(wanted) ? wanted : own[0]!;
    const known = made.get(part) ?? new Map<number, StageEdge>();
    made.set(part, known);
    const found = known.get(seed);
    if (found) return found;
    const before = stagesBefore(variant, part.role);
    const wired: Edges = Object.fromEntries(
      before.map(([name, one]) => [name, edgeAt(variant, one, seed)] as const),
    );
    const wish = { id: idOf(variant, part), data: dataOf(variant), seed, shared, wired };
    // A cell needs a stage, so that a component without code is refused.
    const edge: StageEdge =
      roles[part.role].cells === undefined
        ? nodes.edge(part.component, wish)
        : { type: 'stage', stage: nodes.stage(part.component, wish) };
    known.set(seed, edge);
    return edge;
  }

  return {
    put: (part, edges) => void made.set(part, new Map(edges)),
    make(variant, part) {
      for (const seed of replicatesOfPart(variant, part).seeds) edgeAt(variant, part, seed);
    },
    cells(variant, role) {
      const parts = partsOf(variant, role);
      const { cells } = roles[role];
      const { seeds: own } = parts[0] ? replicatesOfPart(variant, parts[0]) : { seeds: [] };
      return own.flatMap((seed) =>
        parts.flatMap((part): Cell[] => {
          const edge = edgeAt(variant, part, seed);
          const task = typeof cells === 'string' ? cells : part.name;
          return edge.type === 'stage' ? [{ variant: variant.name, task, seed, stage: edge.stage }] : [];
        }),
      );
    },
  };
}

/** The datasets of a row, by the names that inputs have. */
export function dataOf({ parts }: Variant): { readonly [name: string]: Part['component'] } {
  const data = parts.filter(({ role }) => hasMembers(role));
  return Object.fromEntries(data.map(({ name, component }) => [name, component]));
}

/** What is wired to a role in a row, but datasets. */
function stagesBefore(variant: Variant, role: Role): [string, Part][] {
  return Object.entries(wiredParts(variant, role)).filter(([, part]) => !hasMembers(part.role));
}
