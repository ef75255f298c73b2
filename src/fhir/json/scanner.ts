import { MedSealError } from '../../errors.ts';
import { isResourceType } from '../definitions/definitions.ts';
import { endOfEscape } from './escapes.ts';
import { isForbiddenKey, SeenKeys, stringText } from './keys.ts';
import type { JsonLimits } from './limits.ts';
import { endOfNumber, unusualForm } from './numbers.ts';
import { expressionOf, type JsonPath } from './path.ts';
import { isText } from './utf8.ts';

/** A number that `String(Number(text))` would write differently. */
export interface KeptNumber {
  readonly path: JsonPath;
  readonly text: string;
}

const RESOURCE_TYPE = Buffer.from('resourceType');
const NO_KEY = -1;
const IN_OBJECT = -1;

/**
 * Checks that `bytes`, known to be UTF-8, are one JSON text (RFC 8259) within the limits, without duplicate or
 * forbidden keys and without lone surrogates. Iterative: nesting costs no stack. Every byte passes here, so characters
 * are compared as literals: imported constants made it a third slower.
 *
 * @returns the numbers whose written form JSON.parse would lose
 * @throws MedSealError `malformed-json`, `json-limits`, `duplicate-key`: the byte offset in the message, the path as
 *   `expression`, never a value
 */
export function scanJson(bytes: Uint8Array, limits: JsonLimits): readonly KeptNumber[] {
  return new Scanner(bytes, limits).scan();
}

class Scanner {
  readonly #bytes: Uint8Array;
  readonly #limits: JsonLimits;
  readonly #seen: SeenKeys;
  readonly #kept: KeptNumber[] = [];
  #pos = 0;
  #containers = 0;
  /** For each open container: the index of its current item or IN_OBJECT, and where its current key is written. */
  readonly #index: number[] = [];
  readonly #keyStart: number[] = [];
  readonly #keyEnd: number[] = [];
  /** Where the root's resourceType is written, once it was read. */
  #rootTypeStart = 0;
  #rootTypeEnd = 0;

  constructor(bytes: Uint8Array, limits: JsonLimits) {
    this.#bytes = bytes;
    this.#limits = limits;
    this.#seen = new SeenKeys(bytes);
  }

  scan(): readonly KeptNumber[] {
    do {
      this.#skipSpace();
      this.#value();
    } while (this.#afterValue());
    return this.#kept;
  }

  /** Reads a value, or opens a container (and those that it begins with) up to its first value. */
  #value(): void {
    for (;;) {
      const byte = this.#bytes[this.#pos];
      if (byte === 0x7b /* { */) {
        this.#open(IN_OBJECT);
        if (this.#closesAtOnce(0x7d /* } */)) return;
        this.#key();
      } else if (byte === 0x5b /* [ */) {
        this.#open(0);
        if (this.#closesAtOnce(0x5d /* ] */)) return;
      } else {
        this.#scalar(byte);
        return;
      }
    }
  }

  #scalar(byte: number | undefined): void {
    if (byte === 0x22 /* " */) this.#stringValue();
    else if (byte === 0x74 /* t */) this.#literal('true');
    else if (byte === 0x66 /* f */) this.#literal('false');
    else if (byte === 0x6e /* n */) this.#literal('null');
    else if (byte === 0x2d /* - */ || (byte !== undefined && byte >= 0x30 && byte <= 0x39)) this.#number();
    else this.#malformed('a value was expected');
  }

  /** Goes on to where the next value begins, closing what ends here; false at the end of the text. */
  #afterValue(): boolean {
    for (;;) {
      this.#skipSpace();
      const byte = this.#bytes[this.#pos];
      const top = this.#index.length - 1;
      if (top < 0) {
        if (this.#pos < this.#bytes.length) this.#malformed('the text should end here');
        return false;
      }
      const index = this.#index[top] ?? 0;
      if (byte === 0x2c /* , */) {
        this.#pos++;
        if (index !== IN_OBJECT) this.#index[top] = index + 1;
        this.#skipSpace();
        if (index === IN_OBJECT) this.#key();
        return true;
      }
      if (byte !== (index === IN_OBJECT ? 0x7d : 0x5d)) this.#malformed('a comma or the end was expected');
      this.#close();
    }
  }

  #open(index: number): void {
    if (this.#index.length >= this.#limits.maxDepth) {
      this.#fail('json-limits', `more than ${this.#limits.maxDepth} levels`);
    }
    if (++this.#containers > this.#limits.maxContainers) {
      this.#fail('json-limits', `more than ${this.#limits.maxContainers} arrays and objects`);
    }
    this.#pos++;
    this.#index.push(index);
    this.#keyStart.push(NO_KEY);
    this.#keyEnd.push(NO_KEY);
    if (index === IN_OBJECT) this.#seen.openObject();
    this.#skipSpace();
  }

  #close(): void {
    this.#pos++;
    if (this.#index.pop() === IN_OBJECT) this.#seen.closeObject();
    this.#keyStart.pop();
    this.#keyEnd.pop();
  }

  #closesAtOnce(closing: number): boolean {
    if (this.#bytes[this.#pos] !== closing) return false;
    this.#close();
    return true;
  }

  #skipSpace(): void {
    const bytes = this.#bytes;
    let pos = this.#pos;
    for (let byte = bytes[pos] ?? 0xff; byte <= 0x20; byte = bytes[pos] ?? 0xff) {
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
      pos++;
    }
    this.#pos = pos;
  }

  /** Reads a key and its colon, up to where the value begins. */
  #key(): void {
    const top = this.#index.length - 1;
    this.#keyStart[top] = NO_KEY;
    if (this.#bytes[this.#pos] !== 0x22 /* " */) this.#malformed('a key was expected');
    const start = this.#pos + 1;
    const escaped = this.#string();
    const end = this.#pos - 1;
    if (end - start > this.#limits.maxKeyBytes) {
      this.#fail('json-limits', `a key of more than ${this.#limits.maxKeyBytes} bytes`, start);
    }
    this.#keyStart[top] = start;
    this.#keyEnd[top] = end;
    if (this.#seen.count >= this.#limits.maxKeys) {
      this.#fail('json-limits', `an object of more than ${this.#limits.maxKeys} keys`, start);
    }
    if (isForbiddenKey(this.#bytes, start, end, escaped)) this.#malformed('a key that is not allowed', start);
    if (!this.#seen.add(start, end, escaped)) this.#fail('duplicate-key', 'a key that comes twice', start);
    this.#skipSpace();
    if (this.#bytes[this.#pos] !== 0x3a /* : */) this.#malformed('a colon was expected');
    this.#pos++;
    this.#skipSpace();
  }

  #stringValue(): void {
    const start = this.#pos + 1;
    this.#string();
    if (this.#index.length === 1 && isText(this.#bytes, this.#keyStart[0] ?? 0, this.#keyEnd[0] ?? 0, RESOURCE_TYPE)) {
      this.#rootTypeStart = start;
      this.#rootTypeEnd = this.#pos - 1;
    }
  }

  /** Reads a string, from its opening quote to past its closing one; true when it has escapes. */
  #string(): boolean {
    const bytes = this.#bytes;
    const end = bytes.length;
    let escaped = false;
    for (let i = this.#pos + 1; i < end; i++) {
      const byte = bytes[i] ?? 0;
      if (byte === 0x22 /* " */) {
        this.#pos = i + 1;
        return escaped;
      }
      if (byte === 0x5c /* \ */) {
        escaped = true;
        i = endOfEscape(bytes, i);
        if (i < 0) this.#malformed('an escape that is not allowed', -i);
      } else if (byte < 0x20) this.#malformed('a control character in a string', i);
    }
    return this.#malformed('a string without an end', end);
  }

  #literal(word: string): void {
    for (let i = 0; i < word.length; i++) {
      if (this.#bytes[this.#pos + i] !== word.charCodeAt(i)) this.#malformed('a value was expected');
    }
    this.#pos += word.length;
  }

  #number(): void {
    const start = this.#pos;
    const end = endOfNumber(this.#bytes, start);
    if (end < 0) this.#malformed('a digit was expected', -end);
    if (end - start > this.#limits.maxNumberBytes) {
      this.#fail('json-limits', `a number of more than ${this.#limits.maxNumberBytes} characters`);
    }
    const text = unusualForm(this.#bytes, start, end);
    if (text !== undefined) this.#keepForm(text);
    this.#pos = end;
  }

  #keepForm(text: string): void {
    if (!Number.isFinite(Number(text))) this.#fail('json-limits', 'a number out of range');
    if (this.#kept.length >= this.#limits.maxKeptNumbers) {
      this.#fail('json-limits', `more than ${this.#limits.maxKeptNumbers} numbers in an unusual form`);
    }
    this.#kept.push({ path: this.#path(), text });
  }

  #path(): JsonPath {
    const path: (string | number)[] = [];
    for (const [level, index] of this.#index.entries()) {
      const start = this.#keyStart[level] ?? NO_KEY;
      if (index !== IN_OBJECT) path.push(index);
      else if (start !== NO_KEY) path.push(stringText(this.#bytes, start, this.#keyEnd[level] ?? start));
    }
    return path;
  }

  #malformed(what: string, offset = this.#pos): never {
    return this.#fail('malformed-json', what, offset);
  }

  #fail(code: 'malformed-json' | 'json-limits' | 'duplicate-key', what: string, offset = this.#pos): never {
    const type = stringText(this.#bytes, this.#rootTypeStart, this.#rootTypeEnd);
    throw new MedSealError(code, `The JSON is not acceptable at byte ${offset}: ${what}`, {
      expression: expressionOf(isResourceType(type) ? type : '$', this.#path()),
    });
  }
}
