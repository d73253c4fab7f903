import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { formatWebgpu, namedDevice, placementOf } from '../../../components/engine/onnx/webgpu/describe.ts';
import { explainFailure, explainRefusal } from '../../../components/engine/onnx/webgpu/errors.ts';
import { webgpuTarget } from '../../../components/engine/onnx/webgpu/target.ts';
import { traceStep } from '../../../components/engine/record/trace.ts';
import { EngineError } from '../../../components/engine/types.ts';

// The engine itself needs a device: `npm run test:webgpu`.

/** The operators that a function of x becomes. */
function operatorsOf(shape: readonly number[], compute: (x: Tensor) => Tensor): Set<string> {
  const { graph } = traceStep({
    name: 'record',
    step: (state: never, { x }: { x: Tensor }) => ({ state, out: { y: compute(x) } }),
    state: {},
    batch: { x: { shape } },
    constants: {},
    target: webgpuTarget,
  } as never);
  return new Set(graph.nodes.map(({ op, outputs }) => (outputs.length > 1 ? `${op} with places` : op)));
}

test('nothing is recorded that WebGPU has no operator for', (t) => {
  const image = [2, 6, 6, 3];
  const loss = (of: (x: Tensor) => Tensor) => (x: Tensor) => tf.grad((given: Tensor) => tf.sum(of(given)))(x);
  const pooled = operatorsOf(
    image,
    loss((x) => tf.maxPool(x as tf.Tensor4D, 3, 2, 'same')),
  );
  t.true(pooled.has('MaxPool') && pooled.has('ScatterElements'));
  t.false(pooled.has('MaxPool with places'));
  const product = operatorsOf([4, 3, 5], (x) => tf.matMul(x, x, false, true));
  t.true(product.has('MatMul') && !product.has('FusedMatMul'));
  const hot = operatorsOf([4], (x) => tf.oneHot(tf.cast(x, 'int32'), 3));
  t.true(hot.has('Equal') && !hot.has('OneHot'));
  const sum = operatorsOf([4], (x) => tf.addN([x, tf.square(x), tf.abs(x)]));
  t.true(sum.has('Add') && !sum.has('Sum'));
});

test('where there is no device the error says so, with the remedy of the system', (t) => {
  const refused = new Error(
    '/src/webgpu_context.cc:136 Initialize adapter_result.status == Success was false. Failed to get a WebGPU adapter: No supported adapters\n',
  );
  for (const [platform, remedy] of [
    ['linux', /libvulkan1/],
    ['darwin', /Metal/],
    ['win32', /Direct3D 12/],
    ['aix', /driver of your card/],
  ] as const) {
    const error = explainRefusal(refused, platform) as EngineError;
    t.true(error instanceof EngineError);
    t.regex(
      error.message,
      /^the engine 'onnx:webgpu': there is no device for WebGPU \(No supported adapters\)\. Remedy: .*--engine onnx/,
    );
    t.regex(error.message, remedy);
  }
  const other = new Error('Load model failed');
  t.is(explainRefusal(other, 'linux'), other);
});

test('errors of a lost device and of a full one say what to do', (t) => {
  t.regex(
    explainFailure(new Error('WebGPU device lost (1): hung\nmore')),
    /^the device was lost: .* checkpoint/,
  );
  t.regex(explainFailure(new Error('Buffer size 9 exceeds the max buffer size')), /smaller batches/);
  t.is(explainFailure(new Error('first\nsecond')), 'first');
});

test('the device is named as the loader of Vulkan names it', (t) => {
  const printed = `DRIVER:  Found ICD manifest file
DRIVER | LAYER:          Using "Some Card (RADV)" with driver: "/usr/lib/libvulkan_radeon.so"
DRIVER | LAYER:          Using "SwiftShader Device (Subzero)" with driver: "/opt/x/libvk_swiftshader.so"
`;
  t.is(namedDevice(printed), 'SwiftShader Device (Subzero) (libvk_swiftshader.so)');
  t.is(namedDevice('nothing'), undefined);
});

test('operators that ran on the CPU are listed, copies are none', (t) => {
  const event = (name: string, provider: string) => ({ cat: 'Node', args: { op_name: name, provider } });
  const [gpu, cpu] = ['WebGpuExecutionProvider', 'CPUExecutionProvider'] as const;
  const profile = [
    { cat: 'Session' },
    event('Add', gpu),
    event('Add', gpu),
    event('Round', cpu),
    event('MemcpyToHost', gpu),
    event('Mod', cpu),
  ];
  const placement = placementOf([JSON.stringify(profile)]);
  t.deepEqual(
    [placement.device, placement.cpu],
    [
      new Map([['Add', 2]]),
      new Map([
        ['Round', 1],
        ['Mod', 1],
      ]),
    ],
  );
  t.deepEqual(formatWebgpu('llvmpipe (LLVM 15)', placement), [
    'device: llvmpipe (LLVM 15): in software, slower than --engine onnx',
    'operators: 2 on the device, 2 on the CPU (Mod, Round)',
  ]);
  t.deepEqual(formatWebgpu(undefined, { device: new Map([['Add', 1]]), cpu: new Map() }), [
    "device: ONNX Runtime doesn't tell its name; it asks for the fastest",
    'operators: all on the device',
  ]);
});
