import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { create, type Font, type Glyph } from 'fontkit';
import { invariant } from '../../errors.ts';

/**
 * Noto Sans SC (SIL Open Font Licence) in its regular weight. It comes as a hundred files, each with the characters of some
 * ranges, read when they are needed; as a variable font, whose outlines are those of its lightest weight until they are
 * moved, and whose strokes overlap: they are to be filled by the nonzero winding rule, and never stroked.
 */
export interface Typeface {
  /** Outlines of a text, one character after the other, in an em of 1: x to the right, y up. */
  outlines(text: string): readonly { readonly path: string; readonly width: number; readonly scale: number }[];
}

type Range = readonly [first: number, last: number];

const FALLBACK = 'latin';
const REGULAR = 400;

/**
 * What fontkit has beside its public face. Its own `getVariation` cannot read WOFF2, and a glyph of WOFF2 is decoded ahead and
 * left as it is; so the font is opened at these coordinates, and the points of each glyph are moved here. A test looks at the
 * weight of what comes out.
 */
interface VariableFont extends Font {
  readonly stream: { readonly buffer: Uint8Array };
  readonly _variationProcessor: { transformPoints(glyph: number, points: Point[]): void };
}

interface VariableGlyph extends Glyph {
  /** The same at each call; undefined of a glyph without outlines, such as a space. */
  _decode(): { readonly points?: Point[]; readonly numberOfContours: number } | undefined;
}

interface Point {
  x: number;
  y: number;
  /** Whether a contour ends here. */
  endContour: boolean;
  copy(): Point;
}

export function openTypeface(): Typeface {
  const directory = dirname(createRequire(import.meta.url).resolve('@fontsource-variable/noto-sans-sc/package.json'));
  const listed = JSON.parse(readFileSync(join(directory, 'unicode.json'), 'utf8')) as Record<string, string>;
  const slices = Object.entries(listed).map(([name, ranges]) => ({
    name: name.replaceAll(/[[\]]/g, ''),
    ranges: ranges.split(',').map(rangeOf),
  }));
  const opened = new Map<string, VariableFont>();
  const drawn = new Map<number, ReturnType<Typeface['outlines']>[number]>();

  function fontWith(character: number): VariableFont {
    const found = slices.find(({ ranges }) => ranges.some(([first, last]) => first <= character && character <= last));
    const name = found?.name ?? FALLBACK;
    const known = opened.get(name);
    if (known !== undefined) return known;
    const font = atRegularWeight(readFileSync(join(directory, 'files', `noto-sans-sc-${name}-wght-normal.woff2`)));
    opened.set(name, font);
    return font;
  }

  function outlineOf(character: number) {
    const font = fontWith(character);
    const glyph = font.glyphForCodePoint(character) as VariableGlyph;
    // Once: they are moved in place.
    const [first, ...rest] = glyph._decode()?.points ?? [];
    if (first !== undefined) moveTo(font, glyph, [first, ...rest]);
    return { path: glyph.path.toSVG(), width: glyph.advanceWidth / font.unitsPerEm, scale: 1 / font.unitsPerEm };
  }

  return {
    outlines: (text) =>
      [...text].map((character) => {
        const point = character.codePointAt(0) ?? 0;
        const outline = drawn.get(point) ?? outlineOf(point);
        drawn.set(point, outline);
        return outline;
      }),
  };
}

function atRegularWeight(file: Buffer): VariableFont {
  const font = create(file) as VariableFont;
  invariant('glyphForCodePoint' in font, 'a font file holds one font');
  const { stream } = font;
  const Stream = stream.constructor as new (bytes: Uint8Array) => VariableFont['stream'];
  const WoffFont = font.constructor as new (from: VariableFont['stream'], coordinates: number[]) => VariableFont;
  return new WoffFont(new Stream(stream.buffer), [REGULAR]);
}

/** The four points behind a glyph's own are its metrics, which fontkit takes from another table. */
function moveTo(font: VariableFont, { id }: VariableGlyph, [first, ...rest]: readonly [Point, ...Point[]]): void {
  const metrics = Array.from({ length: 4 }, () => Object.assign(first.copy(), { x: 0, y: 0, endContour: true }));
  font._variationProcessor.transformPoints(id, [first, ...rest, ...metrics]);
}

/** `U+4E00-9FFF`, `U+3000` */
function rangeOf(text: string): Range {
  const [, first = '', last = first] = /U\+([0-9a-f]+)(?:-([0-9a-f]+))?/i.exec(text) ?? [];
  return [Number.parseInt(first, 16), Number.parseInt(last, 16)];
}
