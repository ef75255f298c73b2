import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { create, type Font } from 'fontkit';
import { invariant } from '../../errors.ts';

/**
 * Noto Sans SC (SIL Open Font Licence), which comes as a hundred files, each with the characters of some ranges. Read when
 * they are needed.
 */
export interface Typeface {
  /** Outlines of a text, one character after the other, in an em of 1: x to the right, y up. */
  outlines(text: string): readonly { readonly path: string; readonly width: number; readonly scale: number }[];
}

type Range = readonly [first: number, last: number];

const FALLBACK = 'latin';

export function openTypeface(): Typeface {
  const directory = dirname(createRequire(import.meta.url).resolve('@fontsource-variable/noto-sans-sc/package.json'));
  const listed = JSON.parse(readFileSync(join(directory, 'unicode.json'), 'utf8')) as Record<string, string>;
  const slices = Object.entries(listed).map(([name, ranges]) => ({
    name: name.replaceAll(/[[\]]/g, ''),
    ranges: ranges.split(',').map(rangeOf),
  }));
  const opened = new Map<string, Font>();

  function fontWith(character: number): Font {
    const found = slices.find(({ ranges }) => ranges.some(([first, last]) => first <= character && character <= last));
    const name = found?.name ?? FALLBACK;
    const known = opened.get(name);
    if (known !== undefined) return known;
    const font = create(readFileSync(join(directory, 'files', `noto-sans-sc-${name}-wght-normal.woff2`)));
    invariant('glyphForCodePoint' in font, 'a font file holds one font');
    opened.set(name, font);
    return font;
  }

  return {
    outlines: (text) =>
      [...text].map((character) => {
        const point = character.codePointAt(0) ?? 0;
        const font = fontWith(point);
        const glyph = font.glyphForCodePoint(point);
        return { path: glyph.path.toSVG(), width: glyph.advanceWidth / font.unitsPerEm, scale: 1 / font.unitsPerEm };
      }),
  };
}

/** `U+4E00-9FFF`, `U+3000` */
function rangeOf(text: string): Range {
  const [, first = '', last = first] = /U\+([0-9a-f]+)(?:-([0-9a-f]+))?/i.exec(text) ?? [];
  return [Number.parseInt(first, 16), Number.parseInt(last, 16)];
}
