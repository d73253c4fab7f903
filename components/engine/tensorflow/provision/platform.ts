import os from 'node:os';

/** What decides whether the wheels run here. */
export interface Platform {
  readonly os: string;
  readonly arch: string;
  /** Version of glibc; undefined where the system has another C library. */
  readonly glibc?: string;
}

export function thisPlatform(): Platform {
  const { header } = process.report.getReport() as {
    readonly header: { readonly glibcVersionRuntime?: string };
  };
  const { glibcVersionRuntime: glibc } = header;
  return { os: os.platform(), arch: os.arch(), ...(glibc === undefined ? {} : { glibc }) };
}

const systems: { readonly [name: string]: string } = { darwin: 'macOS', win32: 'Windows' };
const leastGlibc = [2, 27] as const;
const rest = 'The engine onnx, the default, runs here';

/** Why there is no library for a platform; undefined if there is one. */
export function refusePlatform({ os: system, arch, glibc }: Platform): string | undefined {
  const needed = 'TensorFlow is provisioned on Linux with an x86-64 processor and glibc 2.27 or newer';
  if (system !== 'linux') return `${needed}, and this is ${systems[system] ?? system}. ${rest}`;
  if (arch !== 'x64') return `${needed}, and this processor is ${arch}. ${rest}`;
  if (glibc === undefined) return `${needed}, and this system has another C library (musl?). ${rest}`;
  const [major = 0, minor = 0] = glibc.split('.').map(Number);
  const isOld = major < leastGlibc[0] || (major === leastGlibc[0] && minor < leastGlibc[1]);
  return isOld ? `${needed}, and this system has glibc ${glibc}. ${rest}` : undefined;
}
