import { writeFileSync } from 'node:fs';
import { kernelsTable } from './kernels/table.ts';

// Writes the list of kernels with their numbers of tests.
writeFileSync(new URL('../../../components/engine/KERNELS.md', import.meta.url), kernelsTable());
