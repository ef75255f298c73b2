import { MedSealError } from '../../../errors.ts';
import { type CrashPoint, type Faults, noFaults } from '../../../faults.ts';

/** The crash points of one put, which the nodes it goes to pass together: what fails there fails on all of them. */
export interface Passes {
  at(point: CrashPoint): Promise<void>;
  /** How many of so many bytes are sent; what is torn is refused afterwards. */
  sent(length: number): number;
  refuseTorn(): void;
  /** What comes back of these bytes. */
  returned(bytes: Uint8Array): Uint8Array;
}

export function createPasses(faults: Faults): Passes {
  if (faults === noFaults)
    return { at: faults.at, sent: (length) => length, refuseTorn: () => undefined, returned: (bytes) => bytes };
  const passed = new Map<CrashPoint, Promise<void>>();
  let torn: number | undefined;
  let returned: number | undefined;
  const tried = new Set<CrashPoint>();
  return {
    at(point) {
      const pass = passed.get(point) ?? faults.at(point);
      passed.set(point, pass);
      return pass;
    },
    sent(length) {
      if (!tried.has('content-during-put')) torn = faults.tear('content-during-put', length);
      tried.add('content-during-put');
      return torn ?? length;
    },
    returned(bytes) {
      if (!tried.has('content-read-back')) returned = faults.tear('content-read-back', bytes.length);
      tried.add('content-read-back');
      return bytes.subarray(0, returned);
    },
    refuseTorn() {
      if (torn !== undefined) throw new MedSealError('storage-unavailable', 'The drill tore a write.');
    },
  };
}
