/** ava calls this before it imports a file of tests. */
module.exports = async () => (await import('./tsx-cached.mjs')).readTypeScript();
