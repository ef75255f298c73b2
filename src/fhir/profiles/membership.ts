import { MedSealError } from '../../errors.ts';
import { expand, keyOf, type Terminology, withoutVersion } from '../terminology/expansion.ts';
import type { CodeMembership } from './profile.ts';

/**
 * Membership in value sets that can be expanded here, each expanded once (http://hl7.org/fhir/R4/valueset.html#expansion).
 * What cannot be told is undefined.
 */
export function packagedMembership(terminology: Terminology): CodeMembership {
  const known = new Map<string, Members | undefined>();
  return (valueSet, system, code) => {
    const url = withoutVersion(valueSet);
    if (!known.has(url)) known.set(url, membersOf(terminology, url));
    const members = known.get(url);
    // A bare code is of whichever system the set draws on.
    return system === undefined ? members?.codes.has(code) : members?.codings.has(keyOf({ system, code }));
  };
}

interface Members {
  readonly codes: ReadonlySet<string>;
  /** Keys of system and code. */
  readonly codings: ReadonlySet<string>;
}

function membersOf(terminology: Terminology, url: string): Members | undefined {
  const compose = terminology.valueSet(url);
  if (compose === undefined) return undefined;
  try {
    const all = expand(terminology, compose);
    return { codes: new Set(all.map(({ code }) => code)), codings: new Set(all.map(keyOf)) };
  } catch (error) {
    if (error instanceof MedSealError && error.code === 'terminology-not-available') return undefined;
    throw error;
  }
}
