import test from 'ava';
import type { LoadFunction, StageContext, StageFunction } from '../../../framework/stage/contract.ts';

interface Images {
  readonly count: number;
}

interface Network {
  readonly layers: readonly string[];
}

const loaded = { train: { count: 7 }, network: { layers: ['relu1_1'] } };

test('a stage says once what its config is and what its inputs load to: the compiler knows it at each use', async (t) => {
  const run: StageFunction<{ readonly steps: number }, { train: Images; network?: Network }> = async ({
    config,
    inputs,
  }) => {
    const { count } = await inputs.train.load();
    const { layers } = inputs.network ? await inputs.network.load() : { layers: [] };
    // @ts-expect-error: it is not among the inputs
    t.is(inputs.test, undefined);
    // @ts-expect-error: it may be absent
    await inputs.network.load();
    // @ts-expect-error: images have no such field
    t.is((await inputs.train.load()).layers, undefined);
    return { metrics: { images: count * config.steps, layers: layers.length } };
  };
  const inputs = Object.fromEntries(
    Object.entries(loaded).map(([name, value]) => [name, { load: async () => value }]),
  );
  const context = { config: { steps: 2 }, inputs } as unknown as StageContext<never, never>;
  t.deepEqual(await run(context), { metrics: { images: 14, layers: 1 } });
});

test('a `load` module says what it gives, and of which config it is', async (t) => {
  const load: LoadFunction<Images, { readonly size: number }> = async ({ config }) => ({
    count: config.size,
  });
  t.is((await load({ config: { size: 3 } } as Parameters<typeof load>[0])).count, 3);
});
