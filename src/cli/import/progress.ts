import { count } from '../text.ts';
import type { Source } from './sources.ts';
import type { Tally } from './tally.ts';

/** Shows how far an import has come. */
export interface Progress {
  /** Bytes were taken from a source. */
  read(bytes: number): void;
  /** Something worth a line of its own. */
  note(text: string): void;
  /** Takes the bar away. */
  stop(): void;
}

export interface ProgressOptions {
  readonly sources: readonly Source[];
  readonly tally: Tally;
  readonly output: Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'columns'>;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

const BAR_EVERY = 120;
const LINE_EVERY = 10_000;

/** A bar that redraws itself on a terminal; elsewhere a line now and then. */
export function startProgress({ sources, tally, output, now }: ProgressOptions): Progress {
  const terminal = output.isTTY === true;
  const began = now();
  const total = sources.every(({ size }) => size !== undefined)
    ? sources.reduce((sum, { size = 0 }) => sum + size, 0)
    : undefined;
  let bytes = 0;
  const erase = terminal ? '\r\u001b[K' : '';

  const draw = (): void => {
    const facts = factsOf(tally, (now() - began) / 1000);
    const part = total === undefined || total === 0 ? undefined : Math.min(1, bytes / total);
    if (terminal) output.write(`${erase}${barLine(part, facts, output.columns ?? 80)}`);
    else output.write(`import: ${part === undefined ? '' : `${percent(part)}, `}${facts}\n`);
  };
  const timer = setInterval(draw, terminal ? BAR_EVERY : LINE_EVERY);
  timer.unref();
  return {
    read: (more) => {
      bytes += more;
    },
    note: (text) => void output.write(`${erase}${text}\n`),
    stop() {
      clearInterval(timer);
      if (terminal) output.write(erase);
    },
  };
}

function factsOf({ items, resources, failed }: Tally, seconds: number): string {
  const rate = seconds > 0 ? Math.round(resources / seconds) : 0;
  const facts = [`${count(items)} items`, `${count(resources)} resources`, `${count(rate)}/s`];
  return [...facts, ...(failed === 0 ? [] : [`${count(failed)} failed`])].join(', ');
}

const BAR_WIDTH = 24;
const PARTS = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** @param part of the whole, 0 to 1; undefined where the whole is not known */
export function barLine(part: number | undefined, facts: string, columns: number): string {
  const bar = part === undefined ? '' : `│${bars(part)}│ ${percent(part).padStart(5)}  `;
  return `${bar}${facts}`.slice(0, Math.max(1, columns - 1));
}

function bars(part: number): string {
  const eighths = Math.round(part * BAR_WIDTH * PARTS.length);
  const full = Math.floor(eighths / PARTS.length);
  const rest = full === BAR_WIDTH ? '' : (PARTS[eighths % PARTS.length] ?? '');
  return `${'█'.repeat(full)}${rest}`.padEnd(BAR_WIDTH);
}

function percent(part: number): string {
  return `${Math.floor(part * 100)} %`;
}
