import test from 'ava';
import { createHashingDisplay } from '../../../../framework/cli/progress/hashing.ts';

function show(live: boolean) {
  let [time, text] = [0, ''];
  const write = (more: string): void => {
    text += more;
  };
  const display = createHashingDisplay({ write, live }, () => time);
  return {
    at(seconds: number, folder: string, done: number, of: number): string {
      [time, text] = [1000 * seconds, ''];
      display.show({ folder, done, of });
      return text;
    },
    end(): string {
      text = '';
      display.end();
      return text;
    },
  };
}

const GB = 1e9;

test('on a terminal one line says how far all folders are, and goes away', (t) => {
  const shown = show(true);
  // Planning took a while before hashing began: it doesn't count.
  t.is(shown.at(30, 'train', 0, 138 * GB), '');
  t.is(shown.at(31, 'train', 2 * GB, 138 * GB), '');
  t.is(
    shown.at(34, 'train', 8 * GB, 138 * GB),
    '\r\u001b[Khashing data: 8.0 GB of 138 GB, 2.0 GB/s, 1:05 left',
  );
  t.is(shown.at(34.1, 'train', 8.2 * GB, 138 * GB), '');
  // (15 + 2) of (138 + 6) GB in 8 s.
  t.is(shown.at(37, 'train', 15 * GB, 138 * GB).length > 0, true);
  t.is(shown.at(38, 'val', 2 * GB, 6 * GB), '\r\u001b[Khashing data: 17 GB of 144 GB, 2.1 GB/s, 1:00 left');
  t.is(shown.end(), '\r\u001b[K');
  t.is(shown.at(50, 'train', 20 * GB, 138 * GB), '');
});

test('elsewhere there is a line every half minute, and none where hashing is quick', (t) => {
  const shown = show(false);
  t.is(shown.at(0, 'train', 0, GB), '');
  t.is(shown.at(1, 'train', GB, GB), '');
  t.is(shown.end(), '');
  const slow = show(false);
  slow.at(0, 'train', 0, 10 * GB);
  t.is(slow.at(2, 'train', GB, 10 * GB), 'hashing data: 1.0 GB of 10 GB, 500 MB/s, 18 s left\n');
  t.is(slow.at(20, 'train', 9 * GB, 10 * GB), '');
  t.is(slow.at(32, 'train', 9.6 * GB, 10 * GB), 'hashing data: 9.6 GB of 10 GB, 300 MB/s, 1.3 s left\n');
  t.is(slow.end(), '');
});
