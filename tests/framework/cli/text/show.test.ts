import test from 'ava';
import { formatEntry } from '../../../../framework/cli/text/entry.ts';
import { formatAge, formatBytes } from '../../../../framework/cli/text/format.ts';
import {
  formatInventory,
  formatRunEnd,
  formatRunHead,
  formatRuns,
} from '../../../../framework/cli/text/show.ts';
import type { RunRecord } from '../../../../framework/run/record/log.ts';
import type { RecordedRun, TimedEvent } from '../../../../framework/run/record/records.ts';
import type { ContentKey, Digest, Fingerprint } from '../../../../framework/stage/keys.ts';
import { bytesOf, type StoredEntry } from '../../../../framework/store/inventory.ts';

const now = Date.parse('2026-11-24T21:30:00Z');
const options = { now, verbose: false };
const day = 86_400_000;

test('sizes', (t) => {
  t.deepEqual([0, 999, 1000, 1500, 9_940, 10_200, 5e6, 2e9, 3e15].map(formatBytes), [
    '0 B',
    '999 B',
    '1.0 KB',
    '1.5 KB',
    '9.9 KB',
    '10 KB',
    '5.0 MB',
    '2.0 GB',
    '3000 TB',
  ]);
});

test('ages', (t) => {
  const seconds = [-5, 0, 59.9, 60, 3599, 3600, 47 * 3600, 48 * 3600, 400 * 86_400];
  t.deepEqual(
    seconds.map((age) => formatAge(age * 1000)),
    [
      '0 s ago',
      '0 s ago',
      '59 s ago',
      '1 min ago',
      '59 min ago',
      '1 h ago',
      '47 h ago',
      '2 days ago',
      '400 days ago',
    ],
  );
});

function runOf(status: RecordedRun['status'], age: number, rest: Partial<RunRecord> = {}): RecordedRun {
  const started = new Date(now - age);
  const record: RunRecord = {
    format: 1,
    id: `20261124-2130-quickstart-${status}`,
    experiment: 'quickstart',
    file: 'experiments/quickstart.ts',
    command: ['run', 'experiments/quickstart.ts', '--jobs', '2'],
    status: status === 'lost' ? 'running' : status,
    started: started.toISOString(),
    stages: 24,
    engine: 'onnx',
    jobs: 2,
    version: '1.2.3',
    node: 'v20.0.0',
    git: { commit: '908be18a31c4f00d908be18a31c4f00d908be18a', dirty: true },
    pid: 1,
    host: 'x',
    ...rest,
  };
  return { dir: '/store/runs/x', record, status };
}

const counts = { hit: 0, ran: 0, shared: 0, failed: 0, skipped: 0, dropped: 0, interrupted: 0, unstarted: 0 };
const runs = [
  runOf('done', 12 * day, { counts: { ...counts, ran: 24 }, seconds: 166 }),
  runOf('failed', 5 * 3_600_000, {
    counts: { ...counts, hit: 12, ran: 3, failed: 1, skipped: 8 },
    seconds: 31,
  }),
  runOf('interrupted', 600_000, {
    counts: { ...counts, hit: 12, shared: 2, interrupted: 1, unstarted: 9 },
    seconds: 8,
  }),
  runOf('lost', 120_000),
  runOf('running', 42_000),
];

test('runs are listed with the latest first', (t) => {
  t.snapshot(formatRuns(runs, '.peco', options).join('\n'));
  t.deepEqual(formatRuns([], '.peco', options), ['no run is recorded in .peco']);
});

test('of many runs the latest are shown, and with verbose all', (t) => {
  const many = Array.from({ length: 50 }, () => runs[0]!);
  t.is(formatRuns(many, '.peco', options).length, 22);
  t.is(formatRuns(many, '.peco', options).at(-1), '  and 30 before (--verbose)');
  t.is(formatRuns(many, '.peco', { ...options, verbose: true }).length, 51);
});

test('how a recorded run began and ended', (t) => {
  const time = '2026-11-24T21:29:30.123Z';
  const finished: TimedEvent = {
    time,
    type: 'run-finished',
    status: 'failed',
    seconds: 31,
    counts: { ...counts, hit: 12, failed: 1 },
    files: ['/project/results/ablation.md'],
  };
  const started: TimedEvent = { time, type: 'stage-started', stage: 'a', threads: 1 };
  const show = (file: string) => file.replace('/project/', '');
  t.snapshot([
    formatRunHead(runs[1]!, options),
    formatRunEnd(runs[1]!, [started, finished], show),
    formatRunEnd(runs[3]!, [started], show),
    formatRunEnd(runs[3]!, [], show),
    formatRunEnd(runs[4]!, [started], show),
  ]);
});

const output = (path: string, size: number, sha256 = path) => ({ path, size, sha256: sha256 as Digest });

function entryOf(kind: string, age: number, outputs: StoredEntry['outputs']): StoredEntry {
  const fingerprint: Fingerprint = {
    schema: 2,
    kind,
    config: { steps: 100 },
    seed: 1,
    code: '00' as Digest,
    inputs: { train: { kind: 'dataset/fashion-mnist' }, network: { kind: 'network/vgg' } },
  };
  const provenance = {
    started: new Date(now - age - 31_000).toISOString(),
    ended: new Date(now - age).toISOString(),
    seconds: 31,
    attempts: 2,
    stage: 'tokenizer/peco',
    run: '20261124-213000-quickstart-3f2a',
    config: {
      steps: 100,
      codebook: { size: 512, dim: 32 },
      layers: ['relu3_2'],
      table: { cells: ['x'.repeat(200)] },
      none: {},
    },
    images: 1000,
    engine: 'onnx',
    engineDescription: 'onnx (onnxruntime-node 1.30.0, 2 threads)',
    threads: 2,
    peakMemory: 512,
    waiting: 0.034,
    version: '1.2.3',
    host: { os: 'linux 6', arch: 'x64', cpu: 'Some CPU', cores: 8, memoryGiB: 32, node: 'v20.0.0' },
    packages: { 'onnxruntime-node': '1.30.0' },
    git: { commit: '908be18a31c4f00d', dirty: false },
  };
  const key = '3f2a'.repeat(16) as ContentKey;
  return { key, kind, outputs, provenance, fingerprint, dir: '/store/entries/3f2a/outputs' };
}

const weights = output('weights.safetensors', 3_000_000);
const entries = [
  entryOf('tokenizer/vqvae', 3 * 60_000, [weights, output('metrics.json', 100)]),
  entryOf('tokenizer/vqvae', 2 * day, [weights, output('metrics.json', 200, 'other')]),
  entryOf('network/vgg', 5 * day, [output('net.safetensors', 1_000_000)]),
];

test('what several entries share is counted once', (t) => {
  t.is(bytesOf(entries.slice(0, 2)), 3_000_300);
  t.is(bytesOf(entries), 4_000_300);
});

test('what is stored, by kind, and with verbose one by one', (t) => {
  t.snapshot(formatInventory({ entries, damaged: ['00' as ContentKey] }, '.peco', options).join('\n'));
  t.snapshot(formatInventory({ entries, damaged: [] }, '.peco', { ...options, verbose: true }).join('\n'));
  t.deepEqual(formatInventory({ entries: [], damaged: [] }, '.peco', options), [
    'no result is stored in .peco',
  ]);
});

test('all about an entry', (t) => {
  const about = {
    entry: entries[0]!,
    metrics: { psnr: 13.77, usage: 0.996 },
    files: ['components/tokenizer/vqvae/stage.ts', 'components/nn/random.ts'],
    shown: '.peco/entries/3f2a/outputs',
  };
  t.snapshot(formatEntry(about, options).join('\n'));
  t.is(formatEntry(about, { ...options, verbose: true }).length, formatEntry(about, options).length + 3);
});

test('what is not in the commit is named: of a run and of an entry, more with verbose', (t) => {
  const git = {
    commit: '908be18a31c4f00d',
    dirty: true,
    changed: ['a.ts', 'parts/b c.ts', 'ä.ts', 'd.ts', 'e.ts', 'f.ts'],
    untracked: ['new\nline.ts'],
    unnamed: 3,
    others: { linked: '0123456789abcdef' },
  };
  const run = runs[1]!;
  const entry = { ...entries[0]!, provenance: { ...entries[0]!.provenance, git } };
  const about = { entry, metrics: {}, files: undefined, shown: 'folder' };
  t.snapshot(formatRunHead({ ...run, record: { ...run.record, git } }, options).join('\n'));
  t.snapshot(formatRunHead({ ...run, record: { ...run.record, git } }, { verbose: true }).join('\n'));
  t.snapshot(formatEntry(about, options).join('\n'));
});

test('a result that was accepted says when, which one it is, and although what', (t) => {
  const accepted = {
    from: 'bead'.repeat(16),
    at: new Date(now - 2 * day).toISOString(),
    differences: [
      { type: 'code', path: 'components/nn/random.ts', before: '00', after: '11' },
      { type: 'code', path: 'components/nn/new.ts', before: null, after: '11' },
      { type: 'config', path: 'steps', before: 90, after: 100 },
    ],
  };
  const [first, ...others] = entries;
  const bound = { ...first!, provenance: { ...first!.provenance, accepted } };
  const about = { entry: bound, metrics: {}, files: undefined, shown: 'there' };
  t.snapshot(formatEntry(about, options).slice(0, 9).join('\n'));
  const stored = { entries: [bound, ...others], damaged: [] };
  t.snapshot(formatInventory(stored, '.peco', { ...options, verbose: true }).join('\n'));
});

test('a result that a job of Slurm made says which, and where', (t) => {
  const slurm = { job: '12', task: '12_3', node: 'n1', partition: 'main', cluster: null };
  const entry = { ...entries[0]!, provenance: { ...entries[0]!.provenance, slurm } };
  const lines = formatEntry({ entry, metrics: {}, files: undefined, shown: 'there' }, options);
  t.true(lines.some((line) => line.trim() === 'in job 12_3 of Slurm, on n1, partition main'));
});

test('of an entry that says little, what it says', (t) => {
  const bare = { ...entries[0]!, kind: 'unknown', provenance: {}, fingerprint: undefined };
  t.snapshot(formatEntry({ entry: bare, metrics: {}, files: undefined, shown: 'there' }, options).join('\n'));
});
