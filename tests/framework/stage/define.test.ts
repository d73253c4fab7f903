import test from 'ava';
import { z } from 'zod';
import type { Component } from '../../../framework/stage/component.ts';
import { component, defineComponent, type Offering } from '../../../framework/stage/define.ts';
import { checkOffered } from '../../../framework/stage/issues.ts';

const vgg = defineComponent({
  role: 'network',
  kind: 'vgg',
  schema: z.strictObject({ width: z.int().positive().default(32), note: z.string().optional() }),
  run: 'file:///vgg/stage.ts',
  load: 'file:///vgg/load.ts',
  offers: ['relu1_2', 'relu2_2'],
});

const perceptual = z.strictObject({ network: component('network'), layers: z.array(z.string()) });
const schema = z.strictObject({ size: z.int().positive(), perceptual: perceptual.optional() });

const makeTokenizer = defineComponent({
  role: 'tokenizer',
  kind: 'vqvae',
  schema,
  inputs: (input) => ({ network: input.perceptual?.network }),
  files: (config) => ({ words: `/words/${config.size}` }),
  check: (config, { network }) =>
    checkOffered(config.perceptual?.layers ?? [], network, { path: ['perceptual', 'layers'], what: 'layer' }),
});

// How a constructor ties layer names to the chosen network: the network says the names, the list may only use them.
interface TokenizerInput<Layer extends string> {
  readonly size: number;
  readonly perceptual?: {
    readonly network: Component<'network'> & Offering<Layer>;
    readonly layers: readonly NoInfer<Layer>[];
  };
}
function vqvae<Layer extends string = never>(input: TokenizerInput<Layer>) {
  return makeTokenizer(input as unknown as z.input<typeof schema>);
}

test('a constructor fills in defaults and lifts components out of the config', (t) => {
  const made = vqvae({ size: 8, perceptual: { network: vgg({}), layers: ['relu2_2'] } });
  t.deepEqual(made.config as object, { size: 8, perceptual: { network: 'vgg', layers: ['relu2_2'] } });
  t.deepEqual(made.inputs.network!.config, { width: 32 });
  t.deepEqual(made.files, { words: '/words/8' });
  t.deepEqual(made.issues, []);
  t.deepEqual(vqvae({ size: 8 }).inputs, {});
});

test('a component is plain data', (t) => {
  const { role, kind, config, keyed, implementation, offers } = vgg({ width: 4 });
  t.deepEqual(JSON.parse(JSON.stringify(vgg({ width: 4 }))), {
    role,
    kind,
    config,
    keyed,
    implementation,
    inputs: {},
    files: {},
    offers,
    issues: [],
  });
});

test('a wrong field is an error of the compiler and an issue, never an exception', (t) => {
  // @ts-expect-error: no such field
  t.deepEqual(vgg({ widht: 4 }).issues, [
    { path: ['widht'], message: 'unknown field', hint: 'did you mean "width"? one of: width, note' },
  ]);
  // @ts-expect-error: a string is no number
  t.deepEqual(vgg({ width: '4' }).issues, [{ path: ['width'], message: 'expected a number' }]);
});

test('a config may be left out where no field is required, and only there', (t) => {
  t.deepEqual(vgg(), vgg({}));
  // @ts-expect-error: it needs a size
  const { issues } = vqvae();
  t.deepEqual(
    issues.map(({ path }) => path),
    [['size']],
  );
  // @ts-expect-error: null is no config
  t.is(vgg(null).issues.length, 1);
});

test('a layer that the network lacks is an error of the compiler and an issue', (t) => {
  // @ts-expect-error: vgg has no relu9_9
  const made = vqvae({ size: 8, perceptual: { network: vgg({}), layers: ['relu2_2', 'relu9_9'] } });
  t.deepEqual(
    made.issues.map(({ path, message }) => [path.join('.'), message]),
    [['perceptual.layers.1', 'the network "vgg" has no such layer']],
  );
});

test('a component of another role is an error of the compiler and an issue', (t) => {
  // @ts-expect-error: a tokenizer is no network
  const made = vqvae({ size: 8, perceptual: { network: vqvae({ size: 1 }), layers: [] } });
  t.deepEqual(made.issues, [
    { path: ['perceptual', 'network'], message: 'expected a network, not the tokenizer "vqvae"' },
  ]);
});

test('names that depend on the config are offered by the config', (t) => {
  const resnet = defineComponent({
    role: 'network',
    kind: 'resnet',
    schema: z.strictObject({ depth: z.int() }),
    offers: ({ depth }): readonly ('stage1' | 'stage2')[] => (['stage1', 'stage2'] as const).slice(0, depth),
  });
  const input = { size: 8, perceptual: { network: resnet({ depth: 1 }), layers: ['stage2' as const] } };
  t.is(vqvae(input).issues.length, 1);
  t.deepEqual(resnet({ depth: 1 }).offers, ['stage1']);
});

test('a mistake in a definition is an issue too', (t) => {
  const broken = defineComponent({
    role: 'report',
    kind: 'broken',
    schema: z.strictObject({}),
    files: () => {
      throw new Error('no such folder');
    },
  });
  t.deepEqual(broken({}).issues, [{ path: [], message: 'no such folder' }]);
  const notJson = defineComponent({ role: 'report', kind: 'date', schema: z.strictObject({ at: z.date() }) });
  t.deepEqual(notJson({ at: new Date(0) }).issues, [
    { path: [], message: 'an instance of Date is not JSON at at' },
  ]);
});

test('of a union the branch that nearly fits is explained', (t) => {
  const shape = z.union([
    z.strictObject({ type: z.literal('cosine'), steps: z.int() }),
    z.strictObject({ type: z.literal('constant') }),
  ]);
  const schedule = defineComponent({
    role: 'pretraining',
    kind: 'mim',
    schema: z.strictObject({ schedule: shape }),
  });
  t.deepEqual(schedule({ schedule: { type: 'cosine', steps: 1.5 } }).issues, [
    { path: ['schedule', 'steps'], message: 'expected a whole number' },
  ]);
});

test('a default may depend on other fields: it counts like a value that was given', (t) => {
  const made = defineComponent({
    role: 'pretraining',
    kind: 'derived',
    schema: z.strictObject({ steps: z.int(), warmup: z.int().optional(), note: z.string().optional() }),
    derive: ({ steps }) => ({ warmup: Math.floor(steps / 10) }),
    check: ({ steps, warmup }) => (warmup! < steps ? [] : [{ path: ['warmup'], message: 'too long' }]),
    provides: ({ warmup }) => ({ warmup }),
  });
  const { config, keyed, provides, issues } = made({ steps: 50 });
  t.deepEqual(config as object, { steps: 50, warmup: 5 });
  t.deepEqual(keyed, made({ steps: 50, warmup: 5 }).keyed);
  t.deepEqual({ provides, issues }, { provides: { warmup: 5 }, issues: [] });
  t.deepEqual(made({ steps: 50, warmup: 60 }).issues, [{ path: ['warmup'], message: 'too long' }]);
  t.deepEqual(made({ steps: 50, warmup: 0 }).config as object, { steps: 50, warmup: 0 });
});
