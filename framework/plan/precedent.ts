import { digestJson } from '../stage/canonical.ts';
import type { Json, JsonObject } from '../stage/json.ts';
import type { Fingerprint } from '../stage/keys.ts';
import type { Store } from '../store/types.ts';

/** Tells whether a stage ran before with other results upstream, but everything of its own the same. */
export interface Precedents {
  has(fingerprint: Fingerprint): Promise<boolean>;
}

/** Reads the store only when asked, once. */
export function createPrecedents(store: Store): Precedents {
  let outlines: Promise<Set<string>> | undefined;
  return {
    async has(fingerprint) {
      outlines ??= readOutlines(store);
      return (await outlines).has(outline(fingerprint));
    },
  };
}

async function readOutlines(store: Store): Promise<Set<string>> {
  const found = new Set<string>();
  for (const key of store.keys()) {
    const fingerprint = await store.fingerprint(key);
    if (fingerprint) found.add(outline(fingerprint));
  }
  return found;
}

/**
 * A fingerprint without what depends on the results of other stages. Then only a stage that could find its old result
 * again is a "maybe", and the plan of an empty store says "run" throughout.
 */
function outline(fingerprint: Fingerprint): string {
  const inputs = Object.entries(fingerprint.inputs).map(([name, input]) => {
    const { outputs: _outputs, inputs: _nested, ...own } = input as JsonObject;
    return [name, own];
  });
  return digestJson({ ...fingerprint, inputs: Object.fromEntries(inputs) } as unknown as Json);
}
