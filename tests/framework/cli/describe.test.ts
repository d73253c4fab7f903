import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { z } from 'zod';
import { defineRecipe } from '../../../components/training/recipe.ts';
import { describeModule, findComponent } from '../../../framework/cli/components.ts';
import { componentsPage, formatComponent } from '../../../framework/cli/text/describe.ts';
import { defineComponent } from '../../../framework/stage/define.ts';
import { describeFields } from '../../../framework/stage/fields.ts';
import { valueAt } from '../../../framework/stage/issues.ts';
import * as library from '../../../index.ts';
import { createProject, repository } from '../../support/project.ts';

const all = describeModule({ exports: library, file: path.join(repository, 'index.ts') });
const look = { unicode: true, colour: false };

test('the page of components is what schemas and comments say', async (t) => {
  const file = path.join(repository, 'docs/reference/components.md');
  t.true(fs.readFileSync(file, 'utf8') === componentsPage(await all), 'out of date: node bin/docs.mjs');
});

test('defaults are those that a component gets', async (t) => {
  const { fields } = findComponent(await all, 'vqvae');
  const { config, issues } = library.vqvae({ steps: 10 });
  t.deepEqual(issues, []);
  let compared = 0;
  for (const { path: field, default: value } of fields) {
    const names = field.split('.');
    if (value === undefined || valueAt(config, names.slice(0, -1)) === undefined) continue;
    t.deepEqual(valueAt(config, names) ?? value, value as never, field);
    compared += 1;
  }
  t.true(compared > 20, `${compared} compared`);
});

test('every component is found by its name and by its kind, and says what it is', async (t) => {
  const described = await all;
  t.is(findComponent(described, 'masked-image-modelling').name, 'maskedImageModelling');
  t.throws(() => findComponent(described, 'vqave'), { message: 'there is no component "vqave"' });
  t.deepEqual(
    described.filter(({ doc }) => doc === undefined).map(({ name }) => name),
    [],
  );
});

test('every field says what it is, but for those whose name does', async (t) => {
  const silent = (await all).flatMap(({ fields }) => fields.filter(({ doc }) => doc === undefined));
  const obvious = [
    'codebook',
    'view.crop',
    'view.crop.scale',
    'view.crop.ratio',
    'testView.crop',
    'schedule.kind',
  ];
  const ofFiles = ['weights.file', 'weights.sha256'];
  const others = [...new Set(silent.map((field) => field.path))].filter(
    (field) => ![...obvious, ...ofFiles].includes(field),
  );
  t.deepEqual(others, [], 'write a comment above each');
});

test('a constructor of one’s own is described by its schema, its comments, or its own descriptions', async (t) => {
  const project = createProject(t, {
    'package.json': '{}',
    'part.ts': [
      "import { share } from './share.ts';",
      "import { defineRecipe } from 'peco-exp/kit';",
      '/** Codes by hand. */',
      'export const mine = defineComponent({',
      '  schema: z.strictObject({',
      '    /**',
      '     * How many,',
      '     * in all.',
      '     */',
      '    count: z.int(),',
      '    share: share.optional(),',
      '    told: z.string(),',
      '    parts: z.array(z.strictObject({',
      '      /** Of a part. */',
      '      size: z.int(),',
      '    })),',
      '  }),',
      '});',
    ].join('\n'),
    'share.ts': '/** A part of the whole. */\nexport const share = z.number();',
  });
  const mine = defineComponent({
    role: 'tokenizer',
    kind: 'mine',
    schema: z.strictObject({
      count: z.int().positive(),
      share: z.number().max(1).optional(),
      told: z.string().default('x').describe('By the schema.'),
      inside: z.string().meta({ description: 'By what is inside of a default.' }).default('x'),
      parts: z
        .array(z.strictObject({ size: z.int() }))
        .default(Array.from({ length: 9 }, (_, size) => ({ size }))),
      ...defineRecipe({ batchSize: 8, learningRate: 1, warmup: { steps: 1, epochs: 1 } }).fields,
      nested: z.strictObject({ kind: z.enum(['a', 'b']).default('a') }).prefault({}),
    }),
  });
  const [described] = await describeModule({
    exports: { mine, other: () => 1 },
    file: project.file('part.ts'),
  });
  t.snapshot(formatComponent(described!, look).join('\n'));
});

test('of a union the fields of all options are described, and what is made of itself ends', (t) => {
  interface Tree {
    readonly left?: Tree | undefined;
  }
  const tree: z.ZodType<Tree> = z.lazy(() => z.strictObject({ left: tree.optional() }));
  const schema = z.strictObject({
    crop: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('centre') }),
      z.strictObject({ kind: z.literal('shift'), by: z.int().default(4) }),
    ]),
    tree: tree.optional(),
  });
  const fields = describeFields(schema);
  t.deepEqual(
    fields.slice(0, 3).map(({ path: field, type }) => `${field}: ${type}`),
    ['crop: an object', 'crop.kind: "centre" or "shift"', 'crop.by: a whole number'],
  );
  t.true(fields.length < 20);
});
