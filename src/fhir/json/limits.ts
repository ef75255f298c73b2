/** What `parseJson` accepts at most; the defaults leave ample room for any FHIR resource or Bundle. */
export interface JsonLimits {
  /** Nested arrays and objects. */
  readonly maxDepth: number;
  /** Keys of one object. */
  readonly maxKeys: number;
  /** Bytes of one key as it is written. */
  readonly maxKeyBytes: number;
  /** Bytes of one number as it is written. */
  readonly maxNumberBytes: number;
  /** Arrays and objects in all: `[[],[],…` needs 20 times its size in memory. */
  readonly maxContainers: number;
  /** Numbers whose written form has to be kept (see decimals.ts): each is an object of its own. */
  readonly maxKeptNumbers: number;
}

export const DEFAULT_JSON_LIMITS: JsonLimits = {
  maxDepth: 64,
  maxKeys: 1000,
  maxKeyBytes: 256,
  maxNumberBytes: 128,
  maxContainers: 1_000_000,
  maxKeptNumbers: 250_000,
};
