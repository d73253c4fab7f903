import path from 'node:path';
import { addonFile } from '../place.ts';
import { call, lastError } from './tools.ts';

/** What a library said when it was loaded. */
export type Tried =
  | { readonly works: true; readonly version: string; readonly gpu: boolean }
  | { readonly works: false; readonly problem: string };

const script = `
  const binding = require(process.argv[1]);
  console.log(JSON.stringify({ version: binding.TF_Version, gpu: binding.isUsingGpuDevice() }));
`;

/** Loads the library of a folder in a process of its own, since one that doesn't fit the machine may end it. */
export async function tryLibrary(folder: string, env: NodeJS.ProcessEnv): Promise<Tried> {
  const quiet = { TF_CPP_MIN_LOG_LEVEL: '2', TF_FORCE_GPU_ALLOW_GROWTH: 'true', ...env };
  const command = [process.execPath, '-e', script, path.join(folder, addonFile)] as const;
  const called = await call([...command], { env: quiet });
  const last = called.stdout.trim().split('\n').at(-1) ?? '';
  if (called.code === 0 && last.startsWith('{'))
    return { works: true, ...(JSON.parse(last) as { readonly version: string; readonly gpu: boolean }) };
  return { works: false, problem: lastError(called) };
}
