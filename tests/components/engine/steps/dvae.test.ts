import { readExpected } from './support/fixture.ts';
import { histories, proveAgainstPyTorch, proveEnginesAgree } from './support/prove.ts';
import { dvaeTraining } from './support/tokenizers.ts';

// BEiT's kind of tokenizer: Gumbel-softmax at a falling temperature, noise from the batch.
const subject = await dvaeTraining('small');
const historyOf = histories(subject);
for (const engine of ['onnx', 'reference']) {
  proveAgainstPyTorch(engine, subject, readExpected('dvae'), historyOf);
}
proveEnginesAgree(subject, historyOf);
