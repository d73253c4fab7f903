/**
 * What share of its time a training waits for its batches: 0 where they are ready when they are asked for. By a clock, so
 * it is shown, and part of no output.
 */
export class Waiting {
  private readonly now: () => number;
  private begun: number | undefined;
  private waited = 0;

  /** @param now in any unit */
  constructor(now = () => performance.now()) {
    this.now = now;
  }

  /** From here on, again from nothing: what came before was preparation. */
  begin(): void {
    this.begun = this.now();
    this.waited = 0;
  }

  /** Counts from the call until what it gives has settled. */
  async for<T>(work: () => T | Promise<T>): Promise<T> {
    const asked = this.now();
    try {
      return await work();
    } finally {
      this.waited += this.now() - asked;
    }
  }

  /** Of the time since the beginning, 0 to 1; undefined where none has passed. */
  share(): number | undefined {
    const passed = this.begun === undefined ? 0 : this.now() - this.begun;
    return passed > 0 ? Math.min(1, this.waited / passed) : undefined;
  }
}
