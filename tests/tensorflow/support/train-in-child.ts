import { createHash } from 'node:crypto';
import { finetune } from '../../components/engine/steps/support/finetune.ts';
import { mim } from '../../components/engine/steps/support/mim.ts';
import { vqvaeTraining } from '../../components/engine/steps/support/tokenizers.ts';
import { train } from '../../components/engine/steps/support/train.ts';
import { wideTraining } from './wide.ts';

/** Trains components on the engine `tensorflow` and prints a digest of all that came out. */
const digest = createHash('sha256');
for (const { training } of [
  mim('small'),
  finetune('small'),
  await vqvaeTraining('small'),
  { training: wideTraining(1536) },
]) {
  const { out, after } = await train({ name: 'tensorflow' }, training as never, [training.steps]);
  digest.update(JSON.stringify(out));
  for (const [path, { data }] of Object.entries(after[training.steps]!)) {
    digest.update(path);
    digest.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
}
console.log(digest.digest('hex'));
