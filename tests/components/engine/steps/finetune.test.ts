import { finetune } from './support/finetune.ts';
import { readExpected } from './support/fixture.ts';
import { histories, proveAgainstPyTorch, proveEnginesAgree } from './support/prove.ts';

// Masked image modelling: a vision transformer with a mask token, LayerScale, weight decay and clipping.
const subject = finetune('small');
const historyOf = histories(subject);
for (const engine of ['onnx', 'reference']) {
  proveAgainstPyTorch(engine, subject, readExpected('finetune'), historyOf);
}
proveEnginesAgree(subject, historyOf);
