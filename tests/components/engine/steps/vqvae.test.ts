import { readExpected } from './support/fixture.ts';
import { histories, proveAgainstPyTorch, proveEnginesAgree } from './support/prove.ts';
import { vqvaeTraining } from './support/tokenizers.ts';

// PeCo's tokenizer: straight-through gradient, a codebook that revives dead codes, perceptual loss on a frozen VGG.
const subject = await vqvaeTraining('small');
const historyOf = histories(subject);
for (const engine of ['onnx', 'reference']) {
  proveAgainstPyTorch(engine, subject, readExpected('vqvae'), historyOf);
}
proveEnginesAgree(subject, historyOf);
