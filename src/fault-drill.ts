import { MedSealError } from './errors.ts';
import { type CrashPoint, type Faults, noFaults } from './faults.ts';

/**
 * What `MEDSEAL_FAULT` asks for, as `point:mode[:nth]`: at the nth time that the point is passed (the first when absent)
 * the process is killed, the step fails, or it hangs. For drills; never set in production.
 */
export function faultDrill(text: string | undefined): Faults {
  if (text === undefined) return noFaults;
  const [point, mode, nth = '1'] = text.split(':');
  let passed = 0;
  const isDue = (at: CrashPoint): boolean => {
    if (at !== point) return false;
    passed += 1;
    return passed === Number(nth);
  };
  return {
    at(at) {
      if (mode === 'torn' || !isDue(at)) return Promise.resolve();
      if (mode === 'error') return Promise.reject(new MedSealError('internal', `Fault drill at ${at}`));
      if (mode === 'timeout') return new Promise(() => undefined);
      return die();
    },
    tear: (at, length) => (mode === 'torn' && isDue(at) ? Math.floor(length / 2) : undefined),
  };
}

/** As a power cut would: no handler runs, nothing is flushed. */
function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
}
