import { drawErased, eraseWindow } from '../../../components/data/views/erasing.ts';
import { erasingSchema } from '../../../components/data/views/erasing-config.ts';
import { drawJitter, jitterPart } from '../../../components/data/views/jitter.ts';
import { jitterSchema } from '../../../components/data/views/jitter-config.ts';
import { applyOperations } from '../../../components/data/views/randaugment/apply.ts';
import { randAugmentSchema } from '../../../components/data/views/randaugment/config.ts';
import { amountOf, drawOperations, OPERATIONS } from '../../../components/data/views/randaugment/draw.ts';
import { random } from '../../../components/nn/random.ts';

/** Prints the processor time of each change: of the jitter on 500 x 375 pixels, of the others on 224 x 224. */
export function timeChanges(): void {
  const photo = pixels(375, 500);
  const whole = { top: 0, left: 0, height: 375, width: 500 };
  const jitter = jitterSchema.parse(0.4);
  const line = (name: string, run: (time: number) => void, times = 60): void => {
    process.stdout.write(`${name.padEnd(24)} ${millisecondsOf(run, times).toFixed(2)} ms\n`);
  };
  line('jitter, whole image', (time) => jitterPart(photo, whole, drawJitter(jitter, random(0, time))));
  const outside = randAugmentSchema.parse({});
  for (const kind of OPERATIONS) {
    const amount = amountOf(kind, 9, { sign: 1, increasing: true });
    line(kind, () => applyOperations(pixels(224, 224), [{ kind, amount }], outside));
  }
  const drawn = (time: number): void => {
    applyOperations(pixels(224, 224), drawOperations(outside, random(0, time)), outside);
  };
  line('randAugment, as drawn', drawn, 300);
  const erasing = erasingSchema.parse(0.25);
  line('erasing, as drawn', (time) => erase(time), 300);

  function erase(time: number): void {
    const picture = pixels(224, 224);
    const stream = random(0, time);
    const window = drawErased(erasing, picture, stream);
    if (window) eraseWindow(picture, window, erasing, stream);
  }
}

const made = new Map<number, Uint8Array>();

/** Pixels of all bytes, of the caller's own. */
function pixels(height: number, width: number) {
  const length = height * width * 3;
  if (!made.has(length))
    made.set(
      length,
      Uint8Array.from({ length }, (_, at) => at * 7919 + (at >> 5) * 13),
    );
  return { bytes: made.get(length)!.slice(), height, width, channels: 3 as const };
}

function millisecondsOf(run: (time: number) => void, times: number): number {
  for (let time = 0; time < 20; time++) run(time);
  const start = process.cpuUsage();
  for (let time = 0; time < times; time++) run(time);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000 / times;
}
