import { CONVERSION } from './conversion.ts';
import { EXISTENCE } from './existence.ts';
import { MATH } from './math.ts';
import { NAVIGATION } from './navigation.ts';
import { SELECTION } from './selection.ts';
import type { FunctionSpec } from './spec.ts';
import { TEXT } from './text.ts';

/** Every function by name. What is not here does not compile. */
export const FUNCTIONS: ReadonlyMap<string, FunctionSpec> = new Map([
  ...EXISTENCE,
  ...SELECTION,
  ...CONVERSION,
  ...TEXT,
  ...MATH,
  ...NAVIGATION,
]);
