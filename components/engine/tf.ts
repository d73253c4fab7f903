import * as tf from '@tensorflow/tfjs-core';

/**
 * TensorFlow.js's operations, `@tensorflow/tfjs-core`: steps are written in them. Take them from here: an engine records
 * calls of its own copy of the package only, and a project may have another one.
 */
export { tf };
