import { runFiles } from './tests/support/loader/ava.mjs';

// Jobs of a real Slurm: a cluster of its own on this machine, or the one that SLURM_CONF names. `npm run test:slurm`.
export default {
  ...runFiles,
  files: ['tests/slurm/**/*.slurm.ts'],
  concurrency: 4, // they wait for Slurm most of the time
  timeout: '10m',
};
