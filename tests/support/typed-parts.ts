import { z } from 'zod';
import type { Role } from '../../framework/stage/component.ts';
import { defineComponent } from '../../framework/stage/define.ts';

/** A component of a role with nothing in it. */
export function fake<R extends Role>(role: R) {
  return defineComponent({ role, kind: role, schema: z.strictObject({}) })({});
}
