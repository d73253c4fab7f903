import type { Sprite } from './sprite.ts';

/** A sprite with its place. */
export interface Thing {
  readonly sprite: Sprite;
  /** Index of its class; -1: clutter. */
  readonly class: number;
  /** Where the middle of its box is, in pixels. */
  readonly x: number;
  readonly y: number;
  /** Pixels of the scene for one of the sprite. */
  readonly scale: number;
  /** Radians, clockwise. */
  readonly angle: number;
  readonly mirrored: boolean;
}
