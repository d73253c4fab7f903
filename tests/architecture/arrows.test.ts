import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { repository } from '../support/project.ts';
import { circlesIn, entrances, readArrows, readImports, roomOf } from './imports.ts';
import { type Override, ruleOf } from './lint-rules.ts';

const imports = readImports();
const arrows = readArrows();
const rooms = [...arrows.keys()];

test('no files import each other in a circle, types included', (t) => {
  t.true(imports.size > 200 && [...imports.values()].some((targets) => targets.size > 10), 'files are found');
  t.deepEqual(circlesIn(imports), []);
});

test('every import between rooms is an arrow of the list in ARCHITECTURE.md', (t) => {
  const others = [...imports].flatMap(([file, targets]) =>
    [...targets].flatMap((target) => {
      const [from, to] = [roomOf(file, rooms), roomOf(target, rooms)];
      if (from === undefined) return [`${file} is in no room of the list`];
      if (to === undefined) return [`${file} imports ${target}, which is in no room of the list`];
      return from === to || arrows.get(from)!.has(to) ? [] : [`${from} -> ${to}: ${file} imports ${target}`];
    }),
  );
  t.deepEqual(others, []);
});

test('the list has no circle, and names rooms that are there', (t) => {
  t.true(rooms.length > 20);
  t.deepEqual(circlesIn(arrows), []);
  for (const to of arrows.values()) for (const room of to) t.true(arrows.has(room), room);
});

test('lint refuses what is not in the list, while one writes', (t) => {
  const config = JSON.parse(fs.readFileSync(path.join(repository, 'biome.json'), 'utf8')) as {
    readonly overrides: readonly Override[];
  };
  const ofRooms = config.overrides.filter(({ linter }) => linter.rules.style?.noRestrictedImports);
  // If this fails: what is expected is what biome.json should have.
  t.deepEqual(
    ofRooms,
    rooms.filter((room) => !entrances.includes(room)).map((room) => ruleOf(room, arrows)),
  );
});
