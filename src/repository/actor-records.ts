import type { Database } from '../storage/database/port.ts';
import { type Criterion, compileCriterion, Parameters } from './criteria.ts';

/** What tells as whom somebody acts: the directory's roles, and whoever represents a patient. */
export type ActorType = 'PractitionerRole' | 'Organization' | 'Group' | 'Device' | 'RelatedPerson' | 'Patient';

/**
 * Past the views: for the server to know who asks, never to be shown to anyone. What it finds goes into the request's
 * principal alone.
 */
export interface ActorRecords {
  /** Version rows of the current resources of a type that meet the criterion, at most `limit`. */
  find(
    type: ActorType,
    institution: number | undefined,
    criterion: Criterion,
    limit: number,
  ): Promise<readonly bigint[]>;
  /** Calls back when any of the first four types was changed anywhere. */
  onChange(changed: () => void): Promise<unknown>;
}

export function createActorRecords(database: Database): ActorRecords {
  return {
    async find(type, institution, criterion, limit) {
      const parameters = new Parameters();
      const condition = compileCriterion(criterion, 'r', parameters, {
        table: 'resource_current',
        institution: institution ?? 0,
      });
      const ofBase = institution === undefined ? '' : `and r.institution = ${parameters.add(institution)}`;
      const rows = await database.query<{ versionId: bigint }>(
        'writer',
        `select r.version_id as "versionId" from resource_current r
         where ${condition} and r.type = ${parameters.add(type)} and not r.deleted ${ofBase}
         limit ${parameters.add(limit)}`,
        parameters.values,
      );
      return rows.map((row) => row.versionId);
    },
    onChange: (changed) => database.listen('actors_changed', changed),
  };
}
