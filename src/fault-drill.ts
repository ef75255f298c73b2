import { readFileSync } from 'node:fs';
import { MedSealError } from './errors.ts';
import { CRASH_POINTS, type CrashPoint, type Faults, noFaults } from './faults.ts';
import type { Logger } from './logger.ts';

/** What one drill does at one point. */
interface Drill {
  readonly point: CrashPoint;
  readonly mode: 'kill' | 'error' | 'timeout' | 'torn' | 'differ';
  /** The passage, counted from 1, at which it happens. */
  readonly nth: number;
  /** At every later passage too. */
  readonly onwards: boolean;
}

/** Where bytes of our own are written, and so may be torn; where they are read back, and so may differ. */
const PLACES: Readonly<Record<string, CrashPoint>> = { torn: 'content-during-put', differ: 'content-read-back' };

/**
 * What `MEDSEAL_FAULT` asks for. `POINT:MODE[:NTH[+]]`: at the nth time that the point is passed (the first when absent;
 * with `+` at every later one too) the process is killed, the step fails, it hangs, a write is torn and the process
 * killed, or what is read back differs. `@FILE`: nothing until SIGUSR2; then, at each SIGUSR2, what FILE says in that form, or nothing when it is
 * empty. For drills; never set in production.
 *
 * @throws MedSealError `invalid-configuration`
 */
export function faultDrill(setting: string | undefined, logger: Logger): Faults {
  if (setting === undefined) return noFaults;
  let armed = setting.startsWith('@') ? noFaults : injected(parse(setting), logger);
  if (setting.startsWith('@')) {
    process.on('SIGUSR2', () => {
      const text = readFileSync(setting.slice(1), 'utf8').trim();
      armed = text === '' ? noFaults : injected(parse(text), logger);
      logger.warn({ drill: text }, 'a fault drill is armed');
    });
  }
  return { at: (point) => armed.at(point), tear: (point, length) => armed.tear(point, length) };
}

function parse(text: string): Drill {
  const [, point, mode, nth = '1', onwards] =
    /^([a-z-]+):(kill|error|timeout|torn|differ)(?::([0-9]+)(\+)?)?$/.exec(text) ?? [];
  const known = CRASH_POINTS.find((name) => name === point);
  if (known === undefined || (PLACES[mode ?? ''] ?? known) !== known) {
    throw new MedSealError('invalid-configuration', `MEDSEAL_FAULT: there is no such drill as ${text}`);
  }
  return { point: known, mode: mode as Drill['mode'], nth: Number(nth), onwards: onwards !== undefined };
}

function injected({ point, mode, nth, onwards }: Drill, logger: Logger): Faults {
  let passed = 0;
  let torn = false;
  const isDue = (at: CrashPoint): boolean => {
    if (at !== point) return false;
    passed += 1;
    const due = passed === nth || (onwards && passed > nth);
    // The last line of a process that is killed: drills wait for it.
    if (due) logger.warn({ point, mode, nth: passed }, 'a fault drill strikes');
    return due;
  };
  return {
    at(at) {
      if (mode === 'torn') return torn && at === point ? die() : Promise.resolve();
      if (mode === 'differ') return Promise.resolve();
      if (!isDue(at)) return Promise.resolve();
      if (mode === 'error') return Promise.reject(new MedSealError('internal', `Fault drill at ${at}`));
      if (mode === 'timeout') return new Promise(() => undefined);
      return die();
    },
    tear(at, length) {
      if (PLACES[mode] === undefined || !isDue(at)) return undefined;
      torn = mode === 'torn';
      return Math.floor(length / 2);
    },
  };
}

/** As a power cut would: no handler runs, nothing is flushed. */
function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
}
