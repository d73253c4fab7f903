import type { Renderer, Write } from './renderer.ts';

/** One JSON object per line: the event, and when it was shown (ISO 8601, UTC). */
export function createJsonRenderer(write: Write): Renderer {
  return {
    show: (event) => write(`${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`),
    close: async () => {},
  };
}
