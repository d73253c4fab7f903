import { finetune } from './finetune.ts';
import { readExpected } from './fixture.ts';
import { mim } from './mim.ts';
import { histories, proveAgainstPyTorch, proveEnginesAgree } from './prove.ts';
import { dalleTraining, dvaeTraining, vqvaeTraining } from './tokenizers.ts';

// The trainings of `tests/components/engine/steps/`: each component's own step.
export const subjects = {
  mim: mim('small'),
  finetune: finetune('small'),
  vqvae: await vqvaeTraining('small'),
  dvae: await dvaeTraining('small'),
  dalle: await dalleTraining('small'),
};

/** Declares tests of all of them on engines, against PyTorch and the reference. */
export function proveAll(...engines: readonly string[]): void {
  for (const [name, subject] of Object.entries(subjects)) {
    const historyOf = histories(subject as never);
    for (const engine of engines) {
      proveAgainstPyTorch(engine, subject as never, readExpected(name as never), historyOf);
      proveEnginesAgree(subject as never, historyOf, engine);
    }
  }
}
