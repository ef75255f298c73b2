import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HOSPITAL_B, NOW, provision, record, request, told } from '../../conformance/support/consent-fixtures.ts';
import type { AccessRequest } from './decide.ts';
import type { RecordFacts, Told } from './facts.ts';
import { provisionMatches } from './match-provision.ts';
import type { Provision } from './policy.ts';

interface Case {
  readonly why: string;
  readonly provision: Partial<Provision>;
  readonly request?: Partial<AccessRequest>;
  readonly record?: Partial<RecordFacts>;
  /** Whether it matches as a permit, and as a deny. */
  readonly permit: boolean;
  readonly deny: boolean;
}

function check(cases: readonly Case[]): void {
  for (const { why, provision: given, request: asked, record: facts, permit, deny } of cases) {
    test(why, () => {
      const one = provision(given);
      assert.equal(provisionMatches(one, 'permit', request(asked), record(facts)), permit, 'as a permit');
      assert.equal(provisionMatches(one, 'deny', request(asked), record(facts)), deny, 'as a deny');
    });
  }
}

const both = { permit: true, deny: true };
const neither = { permit: false, deny: false };
const denyOnly = { permit: false, deny: true };

const hiv = { system: 'http://snomed.info/sct', code: '86406008' };
const other = { system: 'http://loinc.org', code: '86406008' };
const bare = { system: undefined, code: '86406008' };
const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const conf = (code: string) => ({ system: CONFIDENTIALITY, code });
const psy = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSY' };
const possibly = <T>(...possible: readonly T[]): Told<T> => ({ certain: [], possible, open: false });

describe('who, for what', () => {
  check([
    { why: 'a provision without attributes matches everything', provision: {}, ...both },
    { why: 'the actor asks', provision: { actors: [HOSPITAL_B] }, ...both },
    { why: 'one of two actors asks', provision: { actors: ['x/Organization/x', HOSPITAL_B] }, ...both },
    { why: 'another actor asks', provision: { actors: ['x/Organization/x'] }, ...neither },
    { why: 'nobody in particular asks', provision: { actors: [HOSPITAL_B] }, request: { actors: [] }, ...neither },
    { why: 'the action is asked for', provision: { actions: ['disclose', 'read'] }, ...both },
    { why: 'another action is asked for', provision: { actions: ['disclose'] }, ...neither },
    { why: 'the purpose is stated', provision: { purposes: ['TREAT'] }, ...both },
    {
      why: 'a kind of the purpose is stated',
      provision: { purposes: ['TREAT'] },
      request: { purposes: ['BTG'] },
      ...both,
    },
    { why: 'a wider purpose is stated', provision: { purposes: ['BTG'] }, ...neither },
    { why: 'a sibling is stated', provision: { purposes: ['COC'] }, request: { purposes: ['ETREAT'] }, ...neither },
    { why: 'any purpose will do', provision: { purposes: ['PurposeOfUse'] }, ...both },
    {
      why: 'one of two stated purposes is meant',
      provision: { purposes: ['HMARKT'] },
      request: { purposes: ['TREAT', 'HMARKT'] },
      ...both,
    },
    {
      why: 'without a purpose a token could be for any: keeping silent escapes no deny',
      provision: { purposes: ['HMARKT'] },
      request: { purposes: [] },
      ...denyOnly,
    },
    {
      why: 'all attributes must match',
      provision: { actors: [HOSPITAL_B], purposes: ['HRESCH'] },
      ...neither,
    },
  ]);
});

describe('when', () => {
  const until = (instant: number) => ({ period: { from: 0, until: instant } });
  check([
    { why: 'in its last millisecond', provision: until(NOW + 1), ...both },
    { why: 'after its last millisecond', provision: until(NOW), ...neither },
    { why: 'in its first', provision: { period: { from: NOW, until: NOW + 1 } }, ...both },
    { why: 'before its first', provision: { period: { from: NOW + 1, until: NOW + 2 } }, ...neither },
  ]);
});

describe('class', () => {
  const observations = { classes: [{ kind: 'type', type: 'Observation' }] } as const;
  const vitals = { classes: [{ kind: 'profile', url: 'http://x/vitals' }] } as const;
  check([
    { why: 'the type', provision: observations, ...both },
    { why: 'another type', provision: observations, record: { type: 'Condition' }, ...neither },
    {
      why: 'one of that type inside of another',
      provision: observations,
      record: { type: 'Bundle', types: { certain: ['Bundle'], possible: ['Bundle', 'Observation'], open: false } },
      ...denyOnly,
    },
    { why: 'the profile', provision: vitals, record: { profiles: told('http://x/vitals') }, ...both },
    { why: 'another profile', provision: vitals, record: { profiles: told('http://x/labs') }, ...neither },
    { why: 'no profile', provision: vitals, ...denyOnly },
    { why: 'either of two classes', provision: { classes: [...vitals.classes, ...observations.classes] }, ...both },
  ]);
});

describe('code', () => {
  const codes = { codes: [hiv] };
  check([
    { why: 'what the record is about', provision: codes, record: { codes: told(hiv) }, ...both },
    { why: 'the same code of another system', provision: codes, record: { codes: told(other) }, ...neither },
    { why: 'mentioned in the record', provision: codes, record: { codes: possibly(hiv) }, ...denyOnly },
    { why: 'mentioned without a system', provision: codes, record: { codes: possibly(bare) }, ...denyOnly },
    { why: 'about something in words alone', provision: codes, ...denyOnly },
    { why: 'one of two', provision: { codes: [other, hiv] }, record: { codes: told(hiv) }, ...both },
  ]);
});

describe('securityLabel', () => {
  const restricted = { labels: [conf('R')] };
  const psychiatry = { labels: [psy] };
  check([
    { why: 'the same', provision: restricted, record: { confidentiality: told(conf('R')) }, ...both },
    { why: 'a lower one', provision: restricted, record: { confidentiality: told(conf('N')) }, ...both },
    { why: 'a higher one', provision: restricted, record: { confidentiality: told(conf('V')) }, ...neither },
    { why: 'none', provision: restricted, ...denyOnly },
    { why: 'a tag tells nothing of confidentiality', provision: restricted, record: { tags: told(psy) }, ...denyOnly },
    {
      why: 'a part that is lower',
      provision: restricted,
      record: { confidentiality: { certain: [conf('V')], possible: [conf('V'), conf('N')], open: false } },
      ...denyOnly,
    },
    { why: 'the tag', provision: psychiatry, record: { tags: told(psy) }, ...both },
    { why: 'no label at all', provision: psychiatry, ...denyOnly },
    { why: 'labelled, but not with the tag', provision: psychiatry, record: { tags: possibly() }, ...neither },
    { why: 'either of two labels', provision: { labels: [psy, conf('N')] }, record: { tags: told(psy) }, ...both },
  ]);
});

describe('dataPeriod', () => {
  const days = { dataPeriod: { from: 1000, until: 2000 } };
  for (const [why, from, until, overlaps] of [
    ['within', 1200, 1300, true],
    ['around', 0, 5000, true],
    ['over its beginning', 0, 1001, true],
    ['over its end', 1999, 5000, true],
    ['just before', 0, 1000, false],
    ['just after', 2000, 5000, false],
    ['open towards the past', Number.NEGATIVE_INFINITY, 1001, true],
    ['open towards the future', 2000, Number.POSITIVE_INFINITY, false],
  ] as const) {
    check([{ why, provision: days, record: { dates: { from, until } }, permit: overlaps, deny: overlaps }]);
  }
  check([{ why: 'no date', provision: days, ...denyOnly }]);
});

describe('data', () => {
  const instance = { data: [{ meaning: 'instance', resource: 'hospital-a/Observation/r' }] } as const;
  const written = { data: [{ meaning: 'authoredby', resource: 'hospital-a/Practitioner/d' }] } as const;
  check([
    { why: 'this instance', provision: instance, ...both },
    { why: 'another instance', provision: instance, record: { name: 'hospital-a/Observation/s' }, ...neither },
    {
      why: 'a copy of it inside of another record',
      provision: instance,
      record: { names: { certain: ['hospital-a/Bundle/b'], possible: ['hospital-a/Observation/r'], open: false } },
      ...denyOnly,
    },
    { why: 'by this author', provision: written, record: { authors: told('hospital-a/Practitioner/d') }, ...both },
    { why: 'by another', provision: written, record: { authors: told('hospital-a/Practitioner/e') }, ...neither },
    { why: 'by nobody that it names', provision: written, ...denyOnly },
    {
      why: 'by another, and one who is not to be found',
      provision: written,
      record: { authors: { ...told('hospital-a/Practitioner/e'), open: true } },
      ...denyOnly,
    },
  ]);
});
