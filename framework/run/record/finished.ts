import type { JsonObject } from '../../stage/json.ts';
import type { ContentKey } from '../../stage/keys.ts';
import type { Origin, StageFinished } from './events.ts';
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
