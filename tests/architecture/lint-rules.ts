import { type Arrows, entrances, folderOf } from './imports.ts';

/** A part of biome.json. */
export interface Override {
  readonly includes: readonly string[];
  readonly linter: { readonly rules: { readonly style: { readonly noRestrictedImports?: unknown } } };
}

/** Lint's rule for a room: what isn't on the list of arrows is refused. */
export function ruleOf(room: string, arrows: Arrows): Override {
  const allowed = arrows.get(room)!;
  const rooms = [...arrows.keys()];
  const inner = rooms.filter((other) => other.startsWith(`${room}/`));
  const message = `${room} imports ${[...allowed].join(', ') || 'no other room'}: see the arrows in ARCHITECTURE.md`;
  const patterns = [{ group: refusedBy(room, arrows), message }];
  const noRestrictedImports = { level: 'error', options: { patterns } };
  const folder = folderOf(room);
  return {
    includes: [`${folder}/**`, ...inner.map((other) => `!${folderOf(other)}/**`)],
    linter: { rules: { style: { noRestrictedImports } } },
  };
}

/** Patterns of what a room may not import, as it would be written there. */
function refusedBy(room: string, arrows: Arrows): string[] {
  const allowed = arrows.get(room)!;
  const isFramework = (one: string) => folderOf(one).startsWith('framework/');
  const [around] = room.split('/');
  const others = [...arrows.keys()].filter(
    (one) => one !== room && !entrances.includes(one) && !allowed.has(one),
  );
  // A nested room is refused with the one around it, except from within that.
  const alone = others.filter((one) => !one.includes('/') || one.startsWith(`${around}/`));
  if (isFramework(room)) {
    const inside = alone.filter(isFramework);
    return [
      ...inside.map((one) => (one === around ? '../*.ts' : `**/${one.replace(`${around}/`, '')}/**`)),
      '**/components/**',
      '**/reports/**',
    ];
  }
  const framework = allowed.has('stage')
    ? ['**/framework/**', '!**/framework/stage/**']
    : ['**/framework/**'];
  return [...framework, ...alone.filter((one) => !isFramework(one)).map((one) => `**/${one}/**`)];
}
