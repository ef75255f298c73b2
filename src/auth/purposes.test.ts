import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { errors } from 'oidc-provider';
import { grantPurposes } from './purposes.ts';

const b2b = (purposes: unknown, more: object = {}) => ({
  'hl7-b2b': { version: '1', subject_id: 'dr-1', organization_id: 'org-1', purpose_of_use: purposes, ...more },
});

describe('purposes of a token', () => {
  for (const [what, extensions, registered, granted] of [
    ['no extension, one registered', undefined, ['TREAT'], ['TREAT']],
    ['no extension, several registered', undefined, ['TREAT', 'HRESCH'], []],
    ['no extension, none registered', undefined, [], []],
    ['another extension', { other: {} }, ['TREAT'], ['TREAT']],
    ['one of several', b2b(['HRESCH']), ['TREAT', 'HRESCH'], ['HRESCH']],
    ['all of several', b2b(['HRESCH', 'TREAT']), ['TREAT', 'HRESCH'], ['HRESCH', 'TREAT']],
    ['a repeated purpose', b2b(['TREAT', 'TREAT']), ['TREAT'], ['TREAT']],
    ['a code with the OID of its system', b2b(['urn:oid:2.16.840.1.113883.5.8#TREAT']), ['TREAT'], ['TREAT']],
    [
      'a code with the URL of its system',
      b2b(['http://terminology.hl7.org/CodeSystem/v3-ActReason|TREAT']),
      ['TREAT'],
      ['TREAT'],
    ],
    ['no subject', b2b(['TREAT'], { subject_id: undefined }), ['TREAT'], ['TREAT']],
  ] as const) {
    test(`granted: ${what}`, () => assert.deepEqual(grantPurposes(extensions, registered), granted));
  }

  for (const [what, extensions, registered, why] of [
    ['one that is not registered', b2b(['HRESCH']), ['TREAT'], /not registered/],
    ['one registered, one not', b2b(['TREAT', 'HRESCH']), ['TREAT'], /not registered/],
    ['a descendant of a registered one', b2b(['ETREAT']), ['TREAT'], /not registered/],
    ['none registered', b2b(['TREAT']), [], /not registered/],
    ['an unknown code', b2b(['FUN']), ['TREAT'], /purpose_of_use must/],
    ['the abstract root', b2b(['PurposeOfUse']), ['TREAT'], /purpose_of_use must/],
    ['a code of another system', b2b(['urn:oid:1.2.3#TREAT']), ['TREAT'], /purpose_of_use must/],
    ['another case', b2b(['treat']), ['TREAT'], /purpose_of_use must/],
    ['an empty list', b2b([]), ['TREAT'], /purpose_of_use must/],
    ['no list', b2b('TREAT'), ['TREAT'], /purpose_of_use must/],
    ['no purpose', b2b(undefined), ['TREAT'], /purpose_of_use must/],
    ['a number', b2b([1]), ['TREAT'], /purpose_of_use must/],
    ['no version', b2b(['TREAT'], { version: undefined }), ['TREAT'], /version/],
    ['another version', b2b(['TREAT'], { version: 2 }), ['TREAT'], /version/],
    ['an extension that is no object', { 'hl7-b2b': ['TREAT'] }, ['TREAT'], /hl7-b2b must/],
    ['extensions that are no object', 'hl7-b2b', ['TREAT'], /extensions must/],
    ['extensions that are null', null, ['TREAT'], /extensions must/],
  ] as const) {
    test(`refused: ${what}`, () => {
      assert.throws(
        () => grantPurposes(extensions, registered),
        (error) => {
          assert.ok(error instanceof errors.CustomOIDCProviderError);
          assert.equal(error.error, 'invalid_grant');
          // RFC 6749, section 5.2: what an error_description may consist of.
          assert.match(error.error_description ?? '', /^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/);
          assert.match(error.error_description ?? '', why);
          return true;
        },
      );
    });
  }
});
