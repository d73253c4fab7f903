import os from 'node:os';

/** The user's home folder; empty where the machine doesn't know the user, as a compute node may not. */
export function homeFolder(): string {
  try {
    return os.homedir();
  } catch {
    return '';
  }
}
