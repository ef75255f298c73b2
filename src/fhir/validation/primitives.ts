import { decimalOf } from '../json/decimals.ts';
import { isId, parseReference } from '../references/reference.ts';

/** What a primitive's JSON value must be (http://hl7.org/fhir/R4/datatypes.html#primitive). */
export interface Primitive {
  readonly json: 'string' | 'number' | 'boolean';
  /** Completes "must be …" for a person. */
  readonly form: string;
  /** In time linear in the value's length, whatever it is. */
  accepts(value: unknown): boolean;
}

/** FHIR strings have at most 1 MB (1024 × 1024 characters). */
const MAX_STRING = 1024 * 1024;
const MAX_INTEGER = 2_147_483_647;

// All below U+0020 but tab, line feed and carriage return.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what the specification excludes
const CONTROL_CHARACTER = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/;
// White space is XML's: space, tab, line feed, carriage return. A no-break or ideographic space is a character.
const NOT_CODE = /^ | $|[\t\r\n]| {2}/;
const SPACE = /[ \t\r\n]/;
const OID = /^urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+$/;
const UUID = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const DATE = /^([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?$/;
const TIME = /^(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?$/;
const ZONE = /(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))$/;
const SPACES = /[ \t\r\n]+/g;
const NOT_BASE64 = /[^A-Za-z0-9+/]/;
const DIV = /^\s*<div[\s>/]/;

function text(form: string, accepts: (value: string) => boolean): Primitive {
  return { json: 'string', form, accepts: (value) => typeof value === 'string' && accepts(value) };
}

function integer(form: string, min: number): Primitive {
  return {
    json: 'number',
    form,
    accepts: (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= MAX_INTEGER,
  };
}

function isString(value: string): boolean {
  return value !== '' && value.length <= MAX_STRING && !CONTROL_CHARACTER.test(value);
}

/** "Dates SHALL be valid dates": the day is looked at, too. */
function isDate(value: string): boolean {
  const match = DATE.exec(value);
  if (match === null) return false;
  const [, year = '', month, day] = match;
  if (Number(year) === 0) return false;
  if (month === undefined) return true;
  const days = daysIn(Number(year), Number(month));
  return days > 0 && (day === undefined || (Number(day) >= 1 && Number(day) <= days));
}

function daysIn(year: number, month: number): number {
  if (month < 1 || month > 12) return 0;
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** A date to the day, a time to the second, and a time zone. */
function isInstant(value: string): boolean {
  const zone = ZONE.exec(value);
  return zone !== null && value[10] === 'T' && isDate(value.slice(0, 10)) && TIME.test(value.slice(11, zone.index));
}

/** Groups of four characters, white space allowed. HL7's pattern for this takes exponential time. */
function isBase64(value: string): boolean {
  const characters = value.replace(SPACES, '');
  const padding = characters.endsWith('==') ? 2 : characters.endsWith('=') ? 1 : 0;
  const body = characters.slice(0, characters.length - padding);
  return body !== '' && characters.length % 4 === 0 && !NOT_BASE64.test(body);
}

const STRING = text('a non-empty string without control characters, of at most 1 MB', isString);
const URI = text('a non-empty URI without white space', (value) => isString(value) && !SPACE.test(value));

export const PRIMITIVES: ReadonlyMap<string, Primitive> = new Map<string, Primitive>([
  ['boolean', { json: 'boolean', form: 'true or false', accepts: (value) => typeof value === 'boolean' }],
  ['integer', integer('a whole number of 32 bits', -MAX_INTEGER - 1)],
  ['unsignedInt', integer('a whole number from 0 to 2147483647', 0)],
  ['positiveInt', integer('a whole number from 1 to 2147483647', 1)],
  ['decimal', { json: 'number', form: 'a number', accepts: (value) => Number.isFinite(decimalOf(value)) }],
  ['string', STRING],
  ['markdown', STRING],
  [
    'code',
    text('a code: no white space but single spaces inside', (value) => isString(value) && !NOT_CODE.test(value)),
  ],
  ['id', text('an id: 1 to 64 of A-Z, a-z, 0-9, - and .', isId)],
  ['uri', URI],
  ['url', URI],
  ['canonical', URI],
  ['oid', text('an OID such as urn:oid:1.2.3', (value) => isString(value) && OID.test(value))],
  ['uuid', text('a UUID such as urn:uuid:c757873d-ec9a-4326-a141-556f43239520', (value) => UUID.test(value))],
  ['date', text('a date: YYYY, YYYY-MM or YYYY-MM-DD', isDate)],
  ['dateTime', text('a dateTime: a date, or YYYY-MM-DDThh:mm:ss with a time zone', (v) => isDate(v) || isInstant(v))],
  ['instant', text('an instant: YYYY-MM-DDThh:mm:ss with a time zone', isInstant)],
  ['time', text('a time: hh:mm:ss', (value) => TIME.test(value))],
  ['base64Binary', text('base64', isBase64)],
  ['xhtml', text('XHTML in a div element', (value) => DIV.test(value) && !CONTROL_CHARACTER.test(value))],
]);

/** What `Reference.reference` must be, beyond a string: the one element whose format R4 gives apart. */
export const LITERAL_REFERENCE: Primitive = text(
  'a reference: Type/id, an absolute URL, urn:uuid:…, urn:oid:… or #id',
  (value) => isString(value) && parseReference(value) !== undefined,
);
