import { finetune } from '../components/engine/steps/support/finetune.ts';
import { readExpected } from '../components/engine/steps/support/fixture.ts';
import { mim } from '../components/engine/steps/support/mim.ts';
import {
  histories,
  proveAgainstPyTorch,
  proveEnginesAgree,
} from '../components/engine/steps/support/prove.ts';
import { dalleTraining, dvaeTraining, vqvaeTraining } from '../components/engine/steps/support/tokenizers.ts';
import { withWebgpu } from './support/device.ts';

/** The trainings of `tests/components/engine/steps/`: each component's own step, against PyTorch and the reference. */
const subjects = {
  mim: mim('small'),
  finetune: finetune('small'),
  vqvae: await vqvaeTraining('small'),
  dvae: await dvaeTraining('small'),
  dalle: await dalleTraining('small'),
};

await withWebgpu(() => {
  for (const [name, subject] of Object.entries(subjects)) {
    const historyOf = histories(subject as never);
    proveAgainstPyTorch('onnx:webgpu', subject as never, readExpected(name as never), historyOf);
    proveEnginesAgree(subject as never, historyOf, 'onnx:webgpu');
  }
});
