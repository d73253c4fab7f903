import type { Variant } from '../place.ts';
import { type Catalogue, type Download, sumOf } from './catalogue.ts';

/** What is known before anything starts. */
export interface Outlook {
  readonly variant: Variant;
  readonly catalogue: Catalogue;
  readonly folder: string;
  /** What is left to download. */
  readonly rest: readonly Download[];
  /** Why a GPU won't be used, if one is wanted. */
  readonly noGpu?: string;
  /** True if there is a driver of NVIDIA, and the library is for CPUs. */
  readonly unusedGpu: boolean;
}

/** What a user reads before answering. */
export function formatOutlook(outlook: Outlook): string[] {
  const { variant, catalogue, folder, rest, noGpu, unusedGpu } = outlook;
  const { tensorflow, cuda, wheels, unpacked } = catalogue;
  const kind = cuda === undefined ? 'for CPUs' : `for GPUs (CUDA ${cuda})`;
  const left = sumOf(rest);
  return [
    `TensorFlow ${tensorflow} ${kind}, for the engine tensorflow`,
    `  download  ${formatDownload(rest, catalogue)}`,
    `  disk      ${formatSize(unpacked)} in ${folder}, and ${formatSize(largest(wheels))} meanwhile`,
    '  build     the addon of @tensorflow/tfjs-node by g++, from its sources; no installer of it runs',
    `  time      ${formatTime(left, unpacked)}`,
    ...(noGpu === undefined ? [] : [`  warning: ${noGpu}. Until then the library computes on the CPU`]),
    ...(unusedGpu && variant === 'cpu'
      ? ['  this machine has a driver of NVIDIA: --gpu provisions the library for its GPUs']
      : []),
  ];
}

function formatDownload(rest: readonly Download[], { wheels: all, addon, headers }: Catalogue): string {
  if (rest.length === 0) return 'nothing is left';
  const whole = formatSize(sumOf([...all, addon, headers]));
  const isAll = rest.length === all.length + 2;
  const size = isAll ? whole : `${formatSize(sumOf(rest))} that are left of ${whole}`;
  const wheels = rest.filter((one) => all.includes(one)).length;
  const others = rest.length - wheels;
  const python = `${wheels === 1 ? 'one package' : `${wheels} packages`} of Python by pip (nothing is installed)`;
  const npm = `${others === 1 ? 'a small one' : 'two small ones'} by npm`;
  return `${size}: ${[...(wheels > 0 ? [python] : []), ...(others > 0 ? [npm] : [])].join(', ')}`;
}

export function largest(downloads: readonly Download[]): number {
  return Math.max(0, ...downloads.map(({ bytes }) => bytes));
}

export function formatSize(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.ceil(bytes / 1e3)} kB`;
}

/** Unpacking goes at some 50 MB a second on a slow disk, the build takes a quarter of a minute. */
function formatTime(download: number, unpacked: number): string {
  const minutes = (bitsPerSecond: number) =>
    (download * 8) / bitsPerSecond / 60 + unpacked / 50e6 / 60 + 0.25;
  const [fast, slow] = [minutes(1e9), minutes(1e8)].map((value) => Math.max(1, Math.round(value)));
  return `about ${fast} min at 1 Gbit/s, ${slow} min at 100 Mbit/s`;
}
