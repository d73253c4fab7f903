import fs from 'node:fs';
import path from 'node:path';
import { addonFile } from '../place.ts';
import { ProvisionError } from './download.ts';
import { call, lastError } from './tools.ts';

/**
 * Builds the addon of `@tensorflow/tfjs-node` from its two C++ files, as they are, against the library beside it. No
 * script of the package runs: its own installer would fetch another library.
 *
 * @param sources the packages of npm, as downloaded
 * @throws ProvisionError with what the compiler says
 */
export async function buildAddon(
  folder: string,
  sources: { readonly addon: string; readonly headers: string },
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const work = path.join(folder, 'build');
  fs.rmSync(work, { recursive: true, force: true });
  for (const [name, file] of Object.entries(sources)) {
    const dir = path.join(work, name);
    fs.mkdirSync(dir, { recursive: true });
    const unpacked = await call(['tar', '-xzf', file, '-C', dir, '--strip-components=1'], { env });
    if (unpacked.code !== 0) throw new ProvisionError(`tar can't unpack ${file}: ${lastError(unpacked)}`);
  }
  const binding = path.join(work, 'addon', 'binding');
  const built = path.join(work, addonFile);
  const compiled = await call(
    [
      'g++',
      ...['-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8', '-o', built],
      `-I${path.join(work, 'headers/include')}`,
      `-I${path.join(folder, 'tensorflow/include')}`,
      ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => path.join(binding, name)),
      `-L${path.join(folder, 'tensorflow')}`,
      ...['-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2'],
      // The folder may be moved: the addon looks for the library beside itself.
      '-Wl,-rpath,$ORIGIN/tensorflow',
    ],
    { env },
  );
  if (compiled.code !== 0)
    throw new ProvisionError(
      `g++ can't build the addon: ${lastError(compiled)}\n  g++ 7 or newer is needed (g++ --version)`,
    );
  fs.renameSync(built, path.join(folder, addonFile));
  fs.rmSync(work, { recursive: true });
}
