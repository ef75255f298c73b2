import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MIGRATIONS } from '../../src/storage/database/open.ts';

/** The views alone, so that they can be put in place of those that are there. */
export const [VIEWS = ''] = readFileSync(join(MIGRATIONS.records, '0005_views.sql'), 'utf8')
  .replaceAll(/^create (function|view)/gm, 'create or replace $1')
  .split('grant select');

/** What becomes of the views when one of their parts is lost. Each must change what somebody sees. */
export const MUTANTS: readonly (readonly [what: string, from: string, to: string])[] = [
  ['types: every type', "or (select principal_text('types') = '*')\n", 'or true\n'],
  [
    'types: those that are listed',
    "v.type = any ((select string_to_array(principal_text('types'), ','))::text[])",
    'false',
  ],
  ['types: all of them', "or (select principal_text('types') = '*')\n", 'or false\n'],
  [
    'grants: what they cover',
    "or (select principal_text('grants') is not null) and principal_granted(v.type, v.patients, v.facets))",
    ')',
  ],
  ['grants: of their type', "granted.type in (of_type, '*')", 'true'],
  ['grants: of all types', "granted.type in (of_type, '*')", 'granted.type = of_type'],
  ['grants: everywhere', 'granted.within is null or', ''],
  ['grants: only in their compartments', 'of_patients && granted.within::uuid[]', 'true'],
  ['grants: the directory is outside of all', "or of_patients = '{}' and of_type = any (directory_types())\n", '\n'],
  [
    'grants: of no patient only the directory',
    "or of_patients = '{}' and of_type = any (directory_types())\n",
    "or of_patients = '{}'\n",
  ],
  ['grants: only what they are restricted to', 'where not condition::bigint[] && of_facets', 'where false'],
  ['compartment: no limit', "(select principal_text('compartment') = '*')\n    or v.", 'true\n    or v.'],
  [
    'compartment: the directory is outside of all',
    "    or v.patients = '{}'\n    or v.patients &&",
    '    or v.patients &&',
  ],
  [
    'compartment: its records',
    "    or v.patients && (select principal_uuids('compartment'))::uuid[])\n  and case",
    ')\n  and case',
  ],
  ['of no patient: not by consents', "    when v.patients = '{}' then\n", '    when false then\n'],
  ['directory: its types', 'v.type = any (directory_types())\n', 'false\n'],
  ['directory: no other types', 'v.type = any (directory_types())\n', 'true\n'],
  ['institution: its own', "or v.institution = (select principal_text('institution')::smallint)\n", '\n'],
  ['institution: not another’s', "or v.institution = (select principal_text('institution')::smallint)\n", 'or true\n'],
  [
    'patients: consents decide',
    '    or not exists (\n      select from unnest(v.patients)',
    '    or true or not exists (\n      select from unnest(v.patients)',
  ],
  [
    'patients: all of them',
    '    or not exists (\n      select from unnest(v.patients)',
    '    or not exists (\n      select from (select v.patients[1]) ',
  ],
  [
    'custodian: unless a specific deny may apply',
    '      and not exists (select from consent_rule deny where deny.patient = any (v.patients) and deny.rank in (-1, 1))\n',
    '',
  ],
  ['custodian: unless a family member may be meant', 'deny.rank in (-1, 1)', 'deny.rank = 1'],
  ['custodian: unless somebody in particular may be meant', 'deny.rank in (-1, 1)', 'deny.rank = -1'],
  [
    'custodian: unless it is about another of its patients',
    'deny.patient = any (v.patients)',
    'deny.patient = all (v.patients)',
  ],
  [
    'custodian: nobody else is spared the rules',
    "else v.institution = (select principal_text('custodian')::smallint)",
    'else true',
  ],
  [
    'custodian: spared the rules for treatment alone',
    "else v.institution = (select principal_text('custodian')::smallint)",
    "else v.institution = (select principal_text('institution')::smallint)",
  ],
  ['self', "where of_record.patient <> all ((select principal_uuids('self'))::uuid[])\n", 'where true\n'],
  ['self: nobody else', "where of_record.patient <> all ((select principal_uuids('self'))::uuid[])\n", 'where false\n'],
  ['a representative is permitted', 'in (0, 2, 4) then true', 'in (2, 4) then true'],
  ['what is denied to a family member', 'in (-1, 1) then false', 'in (1) then false'],
  ['a specific permit permits', 'in (0, 2, 4) then true', 'in (0, 4) then true'],
  ['a base permit permits', 'in (0, 2, 4) then true', 'in (0, 2) then true'],
  ['a base deny does not', 'in (0, 2, 4) then true', 'in (0, 2, 3, 4) then true'],
  ['a specific deny denies the custodian', 'when min(decided.rank) in (-1, 1) then false', 'when false then false'],
  [
    'a base deny does not deny the custodian',
    'when min(decided.rank) in (-1, 1) then false',
    'when min(decided.rank) in (-1, 1, 3) then false',
  ],
  [
    'the smallest rank decides whether to permit',
    'when min(decided.rank) in (0, 2, 4)',
    'when max(decided.rank) in (0, 2, 4)',
  ],
  [
    'the smallest rank decides whether to deny',
    'when min(decided.rank) in (-1, 1)',
    'when max(decided.rank) in (-1, 1)',
  ],
  ['custodian: by default', "coalesce(v.institution = (select principal_text('custodian')::smallint), false)", 'false'],
  ['custodian: nobody else', "coalesce(v.institution = (select principal_text('custodian')::smallint), false)", 'true'],
  [
    'custodian: for treatment',
    "coalesce(v.institution = (select principal_text('custodian')::smallint), false)",
    "coalesce(v.institution = (select principal_text('institution')::smallint), false)",
  ],
  [
    'emergency: permits',
    'or of_record.patient = any ((select principal_emergencies())::uuid[])\n            end',
    '\n            end',
  ],
  [
    'emergency: of these patients',
    'of_record.patient = any ((select principal_emergencies())::uuid[])\n            end',
    "(select principal_text('emergency') = 'on')\n            end",
  ],
  ['emergency: only when it is one', "case when principal_text('emergency') = 'on' then", 'case when true then'],
  [
    'emergency: overrides denies',
    'or of_record.patient <> all ((select principal_emergencies())::uuid[]))',
    'or true)',
  ],
  ['emergency: not those that name it', 'and (rule.permit or rule.names_emergency\n', 'and (rule.permit\n'],
  ['emergency: permits stay', 'and (rule.permit or rule.names_emergency\n', 'and (rule.names_emergency\n'],
  [
    'emergency: only for these patients',
    'or of_record.patient <> all ((select principal_emergencies())::uuid[]))',
    ')',
  ],
  [
    'the deepest decides',
    'order by rule.depth desc, rule.permit, rule.rank',
    'order by rule.depth, rule.permit, rule.rank',
  ],
  ['depth counts', 'order by rule.depth desc, rule.permit, rule.rank', 'order by rule.permit, rule.rank'],
  ['a tie denies', 'rule.depth desc, rule.permit, rule.rank', 'rule.depth desc, rule.permit desc, rule.rank'],
  ['of denies that tie, the specific one', 'rule.permit, rule.rank))', 'rule.permit, rule.rank desc))'],
  ['rules: this patient’s', 'where rule.patient = of_record.patient', 'where true'],
  ['rules: those that do not wait for a merged patient', 'and not rule.suspended\n', '\n'],
  ['rules: those that have begun', "and rule.valid_from <= (select principal_text('instant')::timestamptz)", ''],
  ['rules: from their first instant', 'rule.valid_from <=', 'rule.valid_from <'],
  ['rules: those that have not ended', "and rule.valid_until > (select principal_text('instant')::timestamptz)", ''],
  ['rules: until their last instant', 'rule.valid_until >', 'rule.valid_until >='],
  ['conditions', 'where not rule.conditions[i:i]', 'where false and not rule.conditions[i:i]'],
  [
    'conditions: all of them',
    'generate_subscripts(rule.conditions, 1)',
    'generate_series(1, least(1, coalesce(array_length(rule.conditions, 1), 0)))',
  ],
  ['conditions: on the record', '(v.facets || (select', "('{}'::bigint[] || (select"],
  ['conditions: on the principal', "(v.facets || (select principal_tokens('facets'))::bigint[])", 'v.facets'],
  ['each consent decides by itself', 'group by rule.consent', 'group by rule.patient'],
  ['current: of each resource its newest version', 'on v.id = c.version_id', 'on v.id_token = c.id_token'],
  ['readers', "where coalesce((c.readers || '{}') && (select principal_tokens('readers'))::bigint[], false);", ';'],
  [
    'trail: the type that is listed',
    "(select 'AuditEvent' = any (string_to_array(principal_text('types'), ',')))",
    'false',
  ],
  [
    'trail: all types',
    "    or (select principal_text('types') = '*'))\n  and ((select principal_text('compartment') = '*')\n    or a.",
    "    )\n  and ((select principal_text('compartment') = '*')\n    or a.",
  ],
  [
    'trail: no other types',
    "    or (select principal_text('types') = '*'))\n  and ((select principal_text('compartment') = '*')\n    or a.",
    "    or true)\n  and ((select principal_text('compartment') = '*')\n    or a.",
  ],
  ['trail: no limit', "(select principal_text('compartment') = '*')\n    or a.", 'false\n    or a.'],
  ['trail: a limit', "(select principal_text('compartment') = '*')\n    or a.", 'true\n    or a.'],
  [
    'trail: those in its compartments',
    "    or a.patients && (select principal_uuids('compartment'))::uuid[])",
    '    or false)',
  ],
  ['trail: nobody else’s', "a.patients && (select principal_uuids('self'))::uuid[]", 'true'],
  ['trail: the patient', "a.patients && (select principal_uuids('self'))::uuid[]", 'false'],
  ['trail: the institution', "or a.institution = (select principal_text('institution')::smallint)", 'or false'],
  ['trail: no other institution', "or a.institution = (select principal_text('institution')::smallint)", 'or true'],
];

/** What is lost when a request may lack some of its settings. Each must show something to one that does. */
export const UNTOLD_MUTANTS: readonly (readonly [what: string, from: string, to: string, lacking: string])[] = [
  ['records: whether it is told', 'where (select principal_told())\n  and (v.', 'where true\n  and (v.', 'facets'],
  [
    'trail: whether it is told',
    "where (select principal_told())\n  and ((select 'AuditEvent'",
    "where true\n  and ((select 'AuditEvent'",
    'facets',
  ],
  ['readers', "principal_text('readers') is not null and", '', 'readers'],
  ['facets', "and principal_text('facets') is not null\n", '\n', 'facets'],
  ['self', "and principal_text('self') is not null and", 'and', 'self'],
  ['compartment', "and principal_text('compartment') is not null\n", '\n', 'compartment'],
  ['types', "and principal_text('types') is not null and", 'and', 'types'],
  ['instant', "and principal_text('instant') is not null;", ';', 'instant'],
];

/** What becomes of what a permitted version brings along for the second lock, which decides by nothing else. */
export const CARRIED_MUTANTS: readonly (readonly [what: string, from: string, to: string])[] = [
  ['consents: of its patients', 'any (v.patients || array(', 'any (array('],
  [
    'consents: of those they are merged with',
    'select m.other from patient_merge m where m.patient = any (v.patients))))',
    'select m.other from patient_merge m where false)))',
  ],
  [
    'consents: of those they are merged with, and of nobody else',
    'select m.other from patient_merge m where m.patient = any (v.patients))))',
    'select m.other from patient_merge m)))',
  ],
  [
    'consents: of nobody else',
    'where c.patient = any (v.patients || array(',
    'where true or c.patient = any (v.patients || array(',
  ],
  ['merges: of its patients', 'where m.patient = any (v.patients)) as merges', 'where false) as merges'],
  ['merges: of nobody else', 'where m.patient = any (v.patients)) as merges', ') as merges'],
];
