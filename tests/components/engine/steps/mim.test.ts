import { readExpected } from './support/fixture.ts';
import { mim } from './support/mim.ts';
import { histories, proveAgainstPyTorch, proveEnginesAgree } from './support/prove.ts';

// Masked image modelling: a vision transformer with a mask token, LayerScale, weight decay and clipping.
const subject = mim('small');
const historyOf = histories(subject);
for (const engine of ['onnx', 'reference']) {
  proveAgainstPyTorch(engine, subject, readExpected('mim'), historyOf);
}
proveEnginesAgree(subject, historyOf);
