import { createRequire } from 'node:module';

/**
 * What a fake of `@tensorflow/tfjs-node` does when it is loaded. `works`: brings tfjs's CPU backend under the name
 * `tensorflow`, makes it the active one and replaces a gradient by a wrong one, as the real package replaces them by
 * tfjs's own. `wrong`: the same with a kernel that computes something else.
 */
export type Behaviour = 'works' | 'wrong' | 'no binding' | 'other core' | 'no backend' | 'crash';

const require = createRequire(import.meta.url);

/** The files of a fake package, relative to the folder of a project. */
export function fakeTensorflow(behaviour: Behaviour, name = '@tensorflow/tfjs-node') {
  const dir = `node_modules/${name}`;
  return {
    [`${dir}/package.json`]: JSON.stringify({ name, version: '4.22.0', main: 'index.js' }),
    [`${dir}/index.js`]: programs[behaviour],
  };
}

const core = `
const tf = require(${JSON.stringify(require.resolve('@tensorflow/tfjs-core'))});
`;

const works = `${core}
const { MathBackendCPU } = require(${JSON.stringify(require.resolve('@tensorflow/tfjs-backend-cpu'))});
const backend = new MathBackendCPU();
backend.firstUse = false;
backend.isUsingGpuDevice = false;
backend.binding = { TF_Version: '2.9.1' };
tf.registerBackend('tensorflow', () => backend, 3);
tf.copyRegisteredKernels('cpu', 'tensorflow');
tf.registerGradient({ kernelName: 'Tanh', gradFunc: (dy) => ({ x: () => tf.mul(dy, 100) }) });
tf.setBackend('tensorflow');
module.exports = { ...tf };
`;

const programs: { readonly [behaviour in Behaviour]: string } = {
  works,
  wrong: `${works}
tf.unregisterKernel('Tanh', 'tensorflow');
tf.registerKernel({ ...tf.getKernel('Sigmoid', 'cpu'), kernelName: 'Tanh', backendName: 'tensorflow' });
`,
  // The beginning of what the real package throws.
  'no binding': `
throw new Error('The Node.js native addon module (tfjs_binding.node) can not be found at path: /somewhere/lib/napi-v8/tfjs_binding.node. \\nPlease run command ...');
`,
  'other core': "module.exports = { Tensor: class Tensor {}, version_core: '4.10.0' };\n",
  'no backend': `${core}module.exports = { ...tf };\n`,
  crash: 'process.abort();\n',
};
