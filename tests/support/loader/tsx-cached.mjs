/**
 * What tests run TypeScript by: as tsx, but it resolves nothing itself (imports are written with `.ts`), and what it has
 * compiled it keeps in `node_modules/.cache`. A file of tests starts in half the time.
 */
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

/** Once a process. From then on every import is asked of the thread of the hooks, which has its price. */
export function readTypeScript() {
  process.setSourceMapsEnabled(true);
  register('./hooks.mjs', import.meta.url);
}

// ava calls it later (late.cjs), once it has imported its own modules.
if (!isMainThread || !/[\\/]ava[\\/]lib[\\/]worker[\\/]/.test(process.argv[1] ?? '')) readTypeScript();
