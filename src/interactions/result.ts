/** What an interaction answers, apart from HTTP. */
export interface InteractionResult {
  readonly status: number;
  /** FHIR JSON as text or bytes; undefined for an empty body. */
  readonly body?: string | Buffer;
  /** Becomes `W/"n"`. */
  readonly version?: number;
  /** RFC 3339; becomes Last-Modified. */
  readonly lastModified?: string;
  /** Relative to the base, such as `Patient/1/_history/2`. */
  readonly location?: string;
  readonly headers?: Readonly<Record<string, string>>;
}
