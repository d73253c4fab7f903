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
  const { tensorflow, cuda, wheels, addon, headers, unpacked } = catalogue;
  const kind = cuda === undefined ? 'for CPUs' : `for GPUs (CUDA ${cuda})`;
  const left = sumOf(rest);
  const all = sumOf([...wheels, addon, headers]);
  const size = left === all ? formatSize(all) : `${formatSize(left)} that are left of ${formatSize(all)}`;
  const packages = wheels.length === 1 ? 'one package' : `${wheels.length} packages`;
  return [
    `TensorFlow ${tensorflow} ${kind}, for the engine tensorflow`,
    `  download  ${size}: ${packages} of Python by pip (nothing is installed), two small ones by npm`,
    `  disk      ${formatSize(unpacked)} in ${folder}, and ${formatSize(largest(wheels))} meanwhile`,
    '  build     the addon of @tensorflow/tfjs-node by g++, from its sources; no installer of it runs',
    `  time      ${formatTime(left, unpacked)}`,
    ...(noGpu === undefined ? [] : [`  warning: ${noGpu}. Until then the library computes on the CPU`]),
    ...(unusedGpu && variant === 'cpu'
      ? ['  this machine has a driver of NVIDIA: --gpu provisions the library for its GPUs']
      : []),
  ];
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
