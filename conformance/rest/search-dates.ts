import assert from 'node:assert/strict';
import { suite } from 'node:test';
import type { Observation } from '@medplum/fhirtypes';
import { check } from './case.ts';
import { ids, newScope, refused, type Scope } from './support.ts';
import type { RestTarget } from './target.ts';

type Prefix = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb';
const PREFIXES: readonly Prefix[] = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb'];

/** Half-open, epoch milliseconds. */
type Range = readonly [from: number, until: number];

/** What is stored, with the range that it stands for. */
const STORED: readonly (readonly [effective: Partial<Observation>, range: Range])[] = [
  [{ effectiveDateTime: '2019' }, [at('2019-01-01'), at('2020-01-01')]],
  [{ effectiveDateTime: '2020-02' }, [at('2020-02-01'), at('2020-03-01')]],
  [{ effectiveDateTime: '2020-02-29' }, [at('2020-02-29'), at('2020-03-01')]],
  [{ effectiveDateTime: '2020-02-29T12:30:00Z' }, [at('2020-02-29T12:30:00Z'), at('2020-02-29T12:30:01Z')]],
  [{ effectiveDateTime: '2020-02-29T23:30:00-08:00' }, [at('2020-03-01T07:30:00Z'), at('2020-03-01T07:30:01Z')]],
  [{ effectiveInstant: '2020-03-01T00:00:00.500Z' }, [at('2020-03-01T00:00:00.500Z'), at('2020-03-01T00:00:00.501Z')]],
  [{ effectivePeriod: { start: '2020-01-15', end: '2020-03-15' } }, [at('2020-01-15'), at('2020-03-16')]],
  [{ effectivePeriod: { start: '2020-03-01' } }, [at('2020-03-01'), Number.POSITIVE_INFINITY]],
  [{ effectivePeriod: { end: '2019-12-31' } }, [Number.NEGATIVE_INFINITY, at('2020-01-01')]],
  [{ effectiveDateTime: '0850-06' }, [at('0850-06-01'), at('0850-07-01')]],
  [{ effectiveDateTime: '2104-12-31' }, [at('2104-12-31'), at('2105-01-01')]],
];

/** What is asked for. */
const ASKED: readonly (readonly [text: string, range: Range])[] = [
  ['2019', [at('2019-01-01'), at('2020-01-01')]],
  ['2020', [at('2020-01-01'), at('2021-01-01')]],
  ['2020-02', [at('2020-02-01'), at('2020-03-01')]],
  ['2020-02-29', [at('2020-02-29'), at('2020-03-01')]],
  ['2020-03-01', [at('2020-03-01'), at('2020-03-02')]],
  ['2020-02-29T12:30:00Z', [at('2020-02-29T12:30:00Z'), at('2020-02-29T12:30:01Z')]],
  ['2020-02-29T12:30Z', [at('2020-02-29T12:30:00Z'), at('2020-02-29T12:31:00Z')]],
  ['2020-02-29T20:30:00+08:00', [at('2020-02-29T12:30:00Z'), at('2020-02-29T12:30:01Z')]],
  ['2020-03-01T00:00:00.500Z', [at('2020-03-01T00:00:00.500Z'), at('2020-03-01T00:00:00.501Z')]],
  ['0850', [at('0850-01-01'), at('0851-01-01')]],
  ['2105', [at('2105-01-01'), at('2106-01-01')]],
];

/** http://hl7.org/fhir/R4/search.html#prefix, over ranges: [low, high) is asked for, [from, until) is stored. */
const MEANING: Readonly<Record<Prefix, (asked: Range, stored: Range) => boolean>> = {
  eq: ([low, high], [from, until]) => low <= from && until <= high,
  ne: ([low, high], [from, until]) => !(low <= from && until <= high),
  gt: ([, high], [, until]) => until > high,
  lt: ([low], [from]) => from < low,
  ge: (asked, stored) => MEANING.gt(asked, stored) || MEANING.eq(asked, stored),
  le: (asked, stored) => MEANING.lt(asked, stored) || MEANING.eq(asked, stored),
  sa: ([, high], [from]) => from >= high,
  eb: ([low], [, until]) => until <= low,
};

/** http://hl7.org/fhir/R4/search.html#date */
export function searchByDate(target: Promise<RestTarget>): void {
  suite('search by date', () => {
    for (const prefix of PREFIXES) {
      check('search.html#date', `${prefix}: every kind of stored date against every kind of question`, async () => {
        const { client } = await target;
        const { scope, stored } = await store(target);
        for (const [text, asked] of ASKED) {
          const expected = stored.filter(({ range }) => MEANING[prefix](asked, range)).map(({ id }) => id);
          const answer = await client.get(`Observation?${scope.query}&date=${prefix}${encodeURIComponent(text)}`);
          assert.deepEqual(ids(answer).toSorted(), expected.toSorted(), `${prefix}${text}`);
          const count = await client.get(
            `Observation?${scope.query}&date=${prefix}${encodeURIComponent(text)}&_summary=count`,
          );
          assert.equal(count.json<{ total: number }>().total, expected.length, `${prefix}${text}: count`);
        }
      });
    }

    check(
      'search.html#date',
      'no prefix is eq; several values are alternatives; several parameters must all hold',
      async () => {
        const { client } = await target;
        const { scope, stored } = await store(target);
        const find = async (query: string) => ids(await client.get(`Observation?${scope.query}&${query}`)).toSorted();
        assert.deepEqual(await find('date=2020-02'), await find('date=eq2020-02'));
        const either = new Set([...(await find('date=2019')), ...(await find('date=2020-02-29'))]);
        assert.deepEqual(await find('date=2019,2020-02-29'), [...either].toSorted());
        const both = stored.filter(
          ({ range }) => MEANING.ge(span('2020-02'), range) && MEANING.lt(span('2020-03-01'), range),
        );
        assert.deepEqual(await find('date=ge2020-02&date=lt2020-03-01'), both.map(({ id }) => id).toSorted());
      },
    );

    check('search.html#date', 'ap finds what is near, and what is missing is found as that', async () => {
      const { client } = await target;
      const { scope, stored } = await store(target);
      const undated = await scope.create<Observation>({
        resourceType: 'Observation',
        status: 'final',
        code: { text: 'x' },
      });
      const find = async (query: string) => ids(await client.get(`Observation?${scope.query}&${query}`));
      const exact = stored.find(({ range }) => range[0] === at('2020-02-29T12:30:00Z'));
      assert.ok((await find('date=ap2020-02-29')).includes(exact?.id ?? ''));
      assert.ok(!(await find('date=ap2020-02-29')).includes(stored[9]?.id ?? ''));
      // A tenth of the years that have passed since then.
      const dated = { ...undated, effectiveDateTime: '2020-07-01' };
      const near = await scope.create<Observation>(dated);
      const far = await scope.create<Observation>({ ...dated, effectiveDateTime: '2010-07-01' });
      const found = await find('date=ap2020-02-29');
      assert.ok(near.id !== undefined && far.id !== undefined && found.includes(near.id) && !found.includes(far.id));
      assert.deepEqual(await find('date:missing=true'), [undated.id]);
      assert.equal((await find('date:missing=false')).length, stored.length + 2);
    });

    check('search.html#date', 'what is no date is refused', async () => {
      const { client } = await target;
      for (const bad of [
        '2020-13',
        '2020-02-30',
        'xx2020',
        '2020-02-29T25:00Z',
        '20',
        'yesterday',
        '',
        '2020-02-29T12',
      ]) {
        refused(await client.get(`Observation?date=${bad}`), 400, 'invalid-parameter', 'date');
      }
    });

    check('search.html#date', '_lastUpdated takes every prefix', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const { id, meta } = await scope.create<Observation>({
        resourceType: 'Observation',
        status: 'final',
        code: { text: 'x' },
      });
      const updated = meta?.lastUpdated ?? '';
      const day = updated.slice(0, 10);
      const found = async (value: string) =>
        ids(await client.get(`Observation?${scope.query}&_lastUpdated=${value}`)).includes(id);
      for (const value of [
        updated,
        `eq${updated}`,
        day,
        `ge${updated}`,
        `le${updated}`,
        `ge${day}`,
        'gt2020',
        'sa2020',
        'lt2100',
        'eb2100',
        'ne2020',
      ]) {
        assert.ok(await found(value), value);
      }
      for (const value of [
        `gt${updated}`,
        `lt${updated}`,
        `ne${updated}`,
        `sa${day}`,
        `eb${day}`,
        '2020',
        'ge2100',
        'le2020',
      ]) {
        assert.ok(!(await found(value)), value);
      }
    });
  });
}

let made: ReturnType<typeof makeStored> | undefined;

/** Made once: nothing here changes it. */
function store(target: Promise<RestTarget>): ReturnType<typeof makeStored> {
  made ??= makeStored(target);
  return made;
}

interface Stored {
  readonly id: string;
  readonly range: Range;
}

async function makeStored(
  target: Promise<RestTarget>,
): Promise<{ readonly scope: Scope; readonly stored: readonly Stored[] }> {
  const { client } = await target;
  const scope = newScope(client);
  const stored: Stored[] = [];
  for (const [effective, range] of STORED) {
    const { id } = await scope.create<Observation>({
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'x' },
      ...effective,
    });
    stored.push({ id, range });
  }
  return { scope, stored };
}

function at(text: string): number {
  return Date.parse(text);
}

function span(text: string): Range {
  const found = ASKED.find(([asked]) => asked === text);
  assert.ok(found !== undefined);
  return found[1];
}
