import type { Loss } from '../../plan/fate.ts';
import type { JsonObject } from '../../stage/json.ts';
import type { ContentKey } from '../../stage/keys.ts';
import type { Origin, StageDropped, StageFinished, StageSkipped } from './events.ts';
import { imagesPerSecond } from './provenance.ts';

/** That a stage has its result, and what making it took. */
export function finishedEvent(
  stage: string,
  origin: Origin,
  { key, provenance }: { readonly key: ContentKey; readonly provenance: JsonObject },
): StageFinished {
  const { seconds } = provenance;
  const rate = imagesPerSecond(provenance);
  return {
    type: 'stage-finished',
    stage,
    origin,
    contentKey: key,
    ...(typeof seconds === 'number' ? { seconds } : {}),
    ...(rate === undefined ? {} : { imagesPerSecond: rate }),
  };
}

/** That a stage will not run, since one that it needs failed or its point was dropped. */
export function lostEvent(stage: string, { at, drop }: Loss): StageSkipped | StageDropped {
  if (!drop) return { type: 'stage-skipped', stage, because: at.id };
  return { type: 'stage-dropped', stage, ...drop, ...(at.id === stage ? {} : { because: at.id }) };
}
