import { isResourceType } from '../../definitions/definitions.ts';
import type { SearchParameterDefinition } from '../../definitions/search-parameters.ts';
import type { SearchValue } from '../values.ts';
import { dateOfPeriod, dateOfTemporal, dateOfTiming } from './date.ts';
import {
  numberOfDecimal,
  numberOfRange,
  quantityOfMoney,
  quantityOfQuantity,
  quantityOfRange,
  quantityOfSampledData,
} from './quantity.ts';
import { referenceOfCanonical, referenceOfReference, referenceOfResource } from './reference.ts';
import { stringOfAddress, stringOfName, stringOfText } from './string.ts';
import {
  tokenOfBoolean,
  tokenOfCoding,
  tokenOfConcept,
  tokenOfContactPoint,
  tokenOfIdentifier,
  tokenOfText,
} from './token.ts';

/** Appends what one element gives; nothing when it has another shape than its type says. */
export type Conversion = (value: unknown, out: SearchValue[]) => void;

export type SearchParameterType = SearchParameterDefinition['type'];

type ConversionTable = Readonly<Record<string, Conversion>>;

function uriOfText(value: unknown, out: SearchValue[]): void {
  if (typeof value === 'string') out.push({ kind: 'uri', value });
}

/** The same conversion for several types. */
function each(types: string, conversion: Conversion): ConversionTable {
  return Object.fromEntries(types.split(' ').map((type) => [type, conversion]));
}

const TEXTS = 'string code id markdown uri url canonical oid uuid System.String';
const URIS = 'uri url canonical oid uuid';
const NUMBERS = 'decimal integer positiveInt unsignedInt System.Decimal System.Integer';
const QUANTITIES = 'Quantity Age Count Distance Duration';

/** What each type of parameter makes of each type of element; what is not here is not searched by that type. */
const CONVERSIONS: Readonly<Record<SearchParameterType, ConversionTable>> = {
  token: {
    ...each(TEXTS, tokenOfText),
    ...each('boolean System.Boolean', tokenOfBoolean),
    Coding: tokenOfCoding,
    CodeableConcept: tokenOfConcept,
    Identifier: tokenOfIdentifier,
    ContactPoint: tokenOfContactPoint,
  },
  reference: { Reference: referenceOfReference, ...each(URIS, referenceOfCanonical) },
  string: { ...each(TEXTS, stringOfText), HumanName: stringOfName, Address: stringOfAddress },
  date: {
    ...each('date dateTime instant System.Date System.DateTime', dateOfTemporal),
    Period: dateOfPeriod,
    Timing: dateOfTiming,
  },
  number: { ...each(NUMBERS, numberOfDecimal), Range: numberOfRange },
  quantity: {
    ...each(QUANTITIES, quantityOfQuantity),
    Money: quantityOfMoney,
    Range: quantityOfRange,
    SampledData: quantityOfSampledData,
  },
  uri: each(`${URIS} string System.String`, uriOfText),
  composite: {},
  special: {},
};

/**
 * The conversion for elements of one type; undefined when that type of parameter does not search them. `targets` are
 * what a reference parameter may lead to: of a Bundle, the first entry is the `composition` or the `message`.
 */
export function conversionOf(
  parameter: SearchParameterType,
  elementType: string,
  targets: readonly string[],
): Conversion | undefined {
  const table = CONVERSIONS[parameter];
  if (Object.hasOwn(table, elementType)) return table[elementType];
  const isTarget = targets.length === 0 || targets.includes(elementType);
  return parameter === 'reference' && isResourceType(elementType) && isTarget ? referenceOfResource : undefined;
}
