import { readExpected } from './support/fixture.ts';
import { histories, proveAgainstPyTorch, proveEnginesAgree } from './support/prove.ts';
import { dalleTraining } from './support/tokenizers.ts';

// BEiT's tokenizer: logit-Laplace likelihood, divergence of each token, Gumbel-softmax with noise from the batch.
const subject = await dalleTraining('small');
const historyOf = histories(subject);
proveAgainstPyTorch('onnx', subject, readExpected('dalle'), historyOf);
proveEnginesAgree(subject, historyOf);
