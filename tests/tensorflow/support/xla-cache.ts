import { setImmediate } from 'node:timers/promises';
import { openEngine } from '../../../components/engine/open.ts';
import { trainProbe } from '../../../components/engine/probe.ts';
import { warningsWithoutXla } from './xla.ts';

/** A process that trains the probe under XLA and prints what came out, and what ran without XLA. */
const warnings = warningsWithoutXla();
const { losses, weights } = await trainProbe(await openEngine({ name: 'tensorflow:xla' }));
await setImmediate();
console.log(JSON.stringify({ losses, weights, warnings }));
process.exit();
