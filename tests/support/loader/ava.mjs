// What changes programs that tests start: Node warns where this meets NO_COLOR, and pools have other sizes.
for (const name of ['FORCE_COLOR', 'NODE_OPTIONS', 'UV_THREADPOOL_SIZE']) delete process.env[name];

/** What the configurations of ava share: how a file of tests is run. */
export const runFiles = {
  extensions: { ts: 'module' },
  // A loader is registered once a process; worker threads wouldn't have it.
  workerThreads: false,
  nodeArguments: [`--import=${new URL('./tsx-cached.mjs', import.meta.url)}`, '--conditions=peco-source'],
  require: ['./tests/support/loader/late.cjs'],
  // One core for each esbuild: files of tests keep all of them busy, and its idle threads spin. It needs little memory, and
  // would collect it all the time.
  environmentVariables: { GOMAXPROCS: '1', GOGC: '800' },
};
