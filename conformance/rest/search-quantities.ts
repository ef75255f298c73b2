import { suite } from 'node:test';
import type { Observation, Quantity, RiskAssessment } from '@medplum/fhirtypes';
import { check } from './case.ts';
import { finder, newScope, refused } from './support.ts';
import type { RestTarget } from './target.ts';

const UCUM = 'http://unitsofmeasure.org';

/** http://hl7.org/fhir/R4/search.html#number, #quantity, #prefix, #composite */
export function searchByQuantity(target: Promise<RestTarget>): void {
  suite('search by number', () => {
    check('search.html#quantity', 'each prefix, and the precision of what was written', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const risk = (probabilityDecimal: number) =>
        scope.create<RiskAssessment>({
          resourceType: 'RiskAssessment',
          status: 'final',
          subject: { reference: 'Patient/x' },
          prediction: [{ probabilityDecimal }],
        });
      const [low, middle, high] = [await risk(0.05), await risk(0.2), await risk(0.75)];
      const find = finder(client, 'RiskAssessment', scope);
      await find('probability=0.2', [middle]);
      await find('probability=0.20', [middle]);
      await find('probability=0.21', []);
      await find('probability=0.8', [high], '0.8 is [0.75, 0.85)');
      await find('probability=ne0.2', [low, high]);
      await find('probability=gt0.2', [high]);
      await find('probability=ge0.2', [middle, high]);
      await find('probability=lt0.2', [low]);
      await find('probability=le0.2', [low, middle]);
      await find('probability=sa0.05', [middle, high]);
      await find('probability=eb0.75', [low, middle]);
      await find('probability=ap0.19', [middle]);
      await find('probability=gt0.1&probability=lt0.5', [middle]);
      await find('probability=0.05,0.75', [low, high]);
      await find('probability=5e-2', [low]);
      await find('probability:missing=false', [low, middle, high]);
    });

    check('search.html#quantity', 'a range is found by what it reaches over', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const range = await scope.create<RiskAssessment>({
        resourceType: 'RiskAssessment',
        status: 'final',
        subject: { reference: 'Patient/x' },
        prediction: [{ probabilityRange: { low: { value: 0.1 }, high: { value: 0.4 } } }],
      });
      const find = finder(client, 'RiskAssessment', scope);
      await find('probability=gt0.3', [range]);
      await find('probability=lt0.2', [range]);
      await find('probability=gt0.5', []);
      await find('probability=sa0.2', []);
      await find('probability=sa0.01', [range]);
      await find('probability=eb0.5', [range]);
      await find('probability=0.2', [], 'it does not lie within');
    });
  });

  suite('search by quantity', () => {
    check('search.html#quantity', 'with a unit, in any unit, and by the unit’s name', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const mass = await scope.create(measured({ value: 5.4, unit: 'mg', system: UCUM, code: 'mg' }));
      const local = await scope.create(measured({ value: 5.4, unit: 'mg', system: 'urn:local', code: 'milli' }));
      const bare = await scope.create(measured({ value: 5.4 }));
      await scope.create(measured({ value: 6, unit: 'mg', system: UCUM, code: 'mg' }));
      const find = finder(client, 'Observation', scope);
      await find(`value-quantity=5.4|${UCUM}|mg`, [mass]);
      await find('value-quantity=5.4|urn:local|milli', [local]);
      await find('value-quantity=5.4||mg', [mass, local], 'the code or the unit');
      await find('value-quantity=5.4', [mass, local, bare]);
      await find('value-quantity=5.40e0', [mass, local, bare]);
      await find('value-quantity=5', [mass, local, bare], '5 is [4.5, 5.5)');
      await find('value-quantity=5.40', [mass, local, bare], '5.40 is [5.395, 5.405)');
      await find('value-quantity=5.41', []);
      await find(`value-quantity=5.4|${UCUM}|mL`, []);
    });

    check(
      'search.html#quantity',
      'UCUM units convert, temperatures too; what measures something else does not',
      async () => {
        const { client } = await target;
        const scope = newScope(client);
        const glucose = await scope.create(measured({ value: 90, system: UCUM, code: 'mg/dL' }));
        const heavy = await scope.create(measured({ value: 70, system: UCUM, code: 'kg' }));
        const fever = await scope.create(measured({ value: 39.1, system: UCUM, code: 'Cel' }));
        const find = finder(client, 'Observation', scope);
        await find(`value-quantity=0.90|${UCUM}|g/L`, [glucose]);
        await find(`value-quantity=gt0.5|${UCUM}|g/L`, [glucose]);
        await find(`value-quantity=lt500|${UCUM}|ug/mL`, []);
        await find(`value-quantity=gt100|${UCUM}|[lb_av]`, [heavy]);
        await find(`value-quantity=70000|${UCUM}|g`, [heavy]);
        await find(`value-quantity=gt100|${UCUM}|[degF]`, [fever]);
        await find(`value-quantity=102.4|${UCUM}|[degF]`, [fever]);
        await find(`value-quantity=lt300|${UCUM}|K`, []);
        await find(`value-quantity=ge39.1|${UCUM}|Cel`, [fever]);
        await find(`value-quantity=gt1|${UCUM}|m`, []);
        await find(`value-quantity=gt1|${UCUM}|nonsense`, []);
      },
    );

    check('search.html#quantity', 'each prefix; negative numbers and zero; and beside other parameters', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const at = (value: number) => scope.create(measured({ value, system: UCUM, code: 'mmol/L' }));
      const [below, zero, small, large] = [await at(-12.5), await at(0), await at(0.003), await at(1200)];
      const find = finder(client, 'Observation', scope);
      const with_ = (text: string) => `value-quantity=${text}|${UCUM}|mmol/L`;
      await find(with_('lt0'), [below]);
      await find(with_('le0'), [below, zero]);
      await find(with_('ge0'), [zero, small, large]);
      await find(with_('gt0'), [small, large]);
      await find(with_('-12.5'), [below]);
      await find(with_('ne0.003'), [below, zero, large]);
      await find(with_('ap1150'), [large]);
      await find(with_('ap1000'), []);
      await find(with_('gt-100'), [below, zero, small, large]);
      await find(`${with_('gt0')}&code=718-7&status=final`, [small, large]);
      await find(`${with_('gt0')}&status=amended`, []);
    });

    check('search.html#quantity', '"less than five" is found where five may be', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const trace = await scope.create(measured({ value: 5, comparator: '<', system: UCUM, code: 'mg/L' }));
      const find = finder(client, 'Observation', scope);
      await find(`value-quantity=lt3|${UCUM}|mg/L`, [trace]);
      await find(`value-quantity=gt6|${UCUM}|mg/L`, []);
      await find(`value-quantity=eb6|${UCUM}|mg/L`, [trace]);
    });

    check('search.html#quantity', 'of components, and of either', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const pressure = await scope.create(pressureOf(120, 80));
      const find = finder(client, 'Observation', scope);
      await find('component-value-quantity=120||mm[Hg]', [pressure]);
      await find('value-quantity=120||mm[Hg]', []);
      await find('combo-value-quantity=gt100', [pressure]);
      await find('combo-value-quantity=gt200', []);
    });

    check(
      'search.html#quantity',
      'counts, pages and chains stay right although the index tells no more than a leading digit',
      async () => {
        const { client } = await target;
        const scope = newScope(client);
        const made: { id: string }[] = [];
        for (const value of [50, 51, 52, 53, 54, 55, 56, 57]) made.push(await scope.create(measured({ value })));
        const find = finder(client, 'Observation', scope);
        await find('value-quantity=gt54&_count=2', made.slice(5, 7));
        await find('value-quantity=gt54&_sort=-_lastUpdated', made.slice(5).toReversed());
        const counted = await client.get(`Observation?${scope.query}&value-quantity=gt54&_summary=count`);
        if (counted.json<{ total: number }>().total !== 3) throw new Error(counted.text);
      },
    );

    check('search.html#quantity', 'what is no number is refused', async () => {
      const { client } = await target;
      for (const bad of ['x', '5|mg', '5|a|', '5|a|b|c', 'zz5', '1e999']) {
        refused(await client.get(`Observation?value-quantity=${bad}`), 400, 'invalid-parameter', 'value-quantity');
      }
    });
  });

  suite('search by composite', () => {
    check('search.html#quantity', 'both parts in one element, and not in two', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const high = await scope.create(pressureOf(160, 80));
      const low = await scope.create(pressureOf(110, 95));
      const find = finder(client, 'Observation', scope);
      const systolic = 'component-code-value-quantity=http://loinc.org|8480-6$';
      await find(`${systolic}gt150`, [high]);
      await find(`${systolic}lt100`, [], 'the other component is that low');
      await find(`${systolic}lt150||mm[Hg]`, [low]);
      await find('component-code-value-quantity=8480-6$160,8462-4$95', [high, low]);
      await find('combo-code-value-quantity=8462-4$gt90', [low]);
    });

    check('search.html#quantity', 'code and value of the resource itself', async () => {
      const { client } = await target;
      const scope = newScope(client);
      const one = await scope.create(measured({ value: 14, system: UCUM, code: 'g/dL' }));
      const text = await scope.create<Observation>({
        resourceType: 'Observation',
        status: 'final',
        code: { coding: [{ code: 'note' }] },
        valueString: 'Trace of blood',
      });
      const find = finder(client, 'Observation', scope);
      await find(`code-value-quantity=http://loinc.org|718-7$14.0|${UCUM}|g/dL`, [one]);
      await find(`code-value-quantity=718-7$140|${UCUM}|g/L`, [one]);
      await find('code-value-quantity=718-8$14', []);
      await find('code-value-string=note$trace%20of', [text]);
      await find('code-value-string=note$blood', []);
    });

    check('search.html#quantity', 'parts that are missing are refused', async () => {
      const { client } = await target;
      for (const bad of ['718-7', '718-7$', '$5', '718-7$5$6']) {
        refused(await client.get(`Observation?code-value-quantity=${bad}`), 400, 'invalid-parameter');
      }
    });
  });
}

function measured(valueQuantity: Quantity): Observation {
  return {
    resourceType: 'Observation',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '718-7' }] },
    valueQuantity,
  };
}

function pressureOf(systolic: number, diastolic: number): Observation {
  const component = (code: string, value: number) => ({
    code: { coding: [{ system: 'http://loinc.org', code }] },
    valueQuantity: { value, unit: 'mmHg', system: UCUM, code: 'mm[Hg]' },
  });
  return {
    resourceType: 'Observation',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '85354-9' }] },
    component: [component('8480-6', systolic), component('8462-4', diastolic)],
  };
}
