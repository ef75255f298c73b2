import type { Database } from '../../storage/database/port.ts';
import {
  type CurrentKey,
  type ScrubResource,
  selectCurrentPage,
  selectResourcePage,
} from '../../storage/trail/scrub.ts';
import { type Counts, type Finding, finding, type Progress, progress } from './events.ts';

export interface ResourceCheck {
  readonly database: Database;
  readonly institutionName: (id: number) => string;
  readonly counts: Counts;
}

const PAGE = 1000;
const FIRST_TOKEN = '00000000-0000-0000-0000-000000000000';
const LOWEST = -(2n ** 63n);

/** Every resource has its versions without a gap, and `resource_current` points at the newest. */
export async function* checkResources(check: ResourceCheck): AsyncGenerator<Finding | Progress> {
  const { database, counts } = check;
  for (let after = FIRST_TOKEN; ; ) {
    const page = await selectResourcePage(database, after, PAGE);
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.idToken;
    for (const resource of page) yield* checkResource(check, resource);
    counts.resources += page.length;
    yield progress('resources', counts.resources);
  }
  yield* checkCurrent(check);
}

function* checkResource({ institutionName }: ResourceCheck, resource: ScrubResource): Generator<Finding> {
  const { idToken, institution, type, versions, newest, versionId, deleted, current } = resource;
  const place = { institution: institutionName(institution), type, token: idToken };
  // Versions are unique, and counted from 1.
  if (Number(versions) !== newest) yield finding('version-gap', { ...place, count: newest - Number(versions) });
  if (current === null) {
    yield finding('current-missing', place);
    return;
  }
  const agrees =
    BigInt(current.versionId) === versionId &&
    current.version === newest &&
    current.deleted === deleted &&
    current.institution === institution &&
    current.type === type;
  if (!agrees) yield finding('current-differs', place);
}

async function* checkCurrent({ database, institutionName }: ResourceCheck): AsyncGenerator<Finding> {
  let after: CurrentKey = { self: LOWEST, idToken: FIRST_TOKEN };
  for (;;) {
    const page = await selectCurrentPage(database, after, PAGE);
    const last = page.at(-1);
    if (last === undefined) return;
    after = last;
    for (const { idToken, institution, exists } of page) {
      if (!exists)
        yield finding('current-without-version', { institution: institutionName(institution), token: idToken });
    }
  }
}
