import { withoutSeed } from '../../plan/named.ts';
import type { StageNode } from '../../plan/types.ts';

/** `tokenizer/* (4)`: stages of one role and kind as one name, and how many they are. */
export function foldNames(nodes: readonly StageNode[]): string[] {
  const groups = new Map<string, StageNode[]>();
  for (const node of nodes) {
    const { role, kind } = node.component;
    const depth = withoutSeed(node.id).split('/').length;
    const name = JSON.stringify([role, kind, depth]);
    groups.set(name, [...(groups.get(name) ?? []), node]);
  }
  return [...groups.values()].map((group) =>
    group.length === 1 ? group[0]!.id : `${nameOf(group)} (${group.length})`,
  );
}

/** What their ids have in common: a star for what differs, without the seed. */
export function nameOf(nodes: readonly StageNode[]): string {
  const ids = nodes.map(({ id }) => withoutSeed(id).split('/'));
  const [first] = ids;
  if (ids.some((id) => id.length !== first!.length)) {
    const { role, kind } = nodes[0]!.component;
    return `${role}/${kind}`;
  }
  return first!.map((part, index) => (ids.every((id) => id[index] === part) ? part : '*')).join('/');
}
