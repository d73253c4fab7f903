import fs from 'node:fs';

/** The least version of NVIDIA's driver that runs CUDA 12. */
export const leastDriver = 525;

/** Version of NVIDIA's driver, such as `535.104.05`; undefined where there is none. */
export function readDriver(file = '/proc/driver/nvidia/version'): string | undefined {
  try {
    return /\b(\d{3,}\.\d+(?:\.\d+)?)\b/.exec(fs.readFileSync(file, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

/** Why CUDA can't compute here, with the remedy; undefined if the driver allows it. */
export function explainDriver(driver: string | undefined): string | undefined {
  if (driver === undefined)
    return `this machine has no NVIDIA driver (there is no /proc/driver/nvidia/version): install one of version ${leastDriver} or newer; in a container, start it with its GPUs (--gpus all)`;
  if (Number.parseInt(driver, 10) >= leastDriver) return undefined;
  return `NVIDIA's driver ${driver} is too old for CUDA 12: install ${leastDriver} or newer`;
}
