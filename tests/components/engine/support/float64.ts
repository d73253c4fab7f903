/**
 * To be imported before tfjs: its CPU backend makes its tensors of what is the global Float32Array then, so that it
 * computes in float64. For test files of their own, since ava gives each its own process.
 */
globalThis.Float32Array = Float64Array as unknown as Float32ArrayConstructor;
