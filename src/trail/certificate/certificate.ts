import { hash } from 'node:crypto';
import PDFDocument from 'pdfkit';
import { encode } from 'uqr';
import type { VerifiedEvidence } from '../evidence/verify.ts';
import { type Bilingual, contentsOf } from './contents.ts';
import { openTypeface, type Typeface } from './typeface.ts';

const MARGIN = 48;
const LABEL_WIDTH = 190;
const CODE_WIDTH = 104;
const INK = '#1a1a1a';
/** How far Courier's ascenders reach above its baseline, in an em of 1. */
const ASCENDER = 0.629;

type Document = PDFKit.PDFDocument;

/**
 * A page for people, with the evidence itself attached: what the evidence establishes, in Chinese and English, and a QR code
 * to the page that verifies it. Latin text can be searched and copied; Chinese is drawn. The same input gives the same bytes.
 *
 * @param file the evidence, as it was verified
 * @param page URL of the verification page; the file's digest follows in its fragment, which is sent to nobody
 */
export type CertificateRenderer = (file: Uint8Array, verified: VerifiedEvidence, page: string) => Promise<Buffer>;

/** With a typeface that is read when it is first needed, and kept. */
export function createCertificateRenderer(): CertificateRenderer {
  let typeface: Typeface | undefined;
  return (file, verified, page) => {
    typeface ??= openTypeface();
    return render(file, verified, page, typeface);
  };
}

async function render(file: Uint8Array, verified: VerifiedEvidence, page: string, typeface: Typeface): Promise<Buffer> {
  const digest = hash('sha256', file, 'hex');
  const { title, statement, rows, instructions } = contentsOf(verified, digest);
  const at = new Date(verified.anchor.blockTime);
  const info = { Title: `${title.en} · ${title.zh}`, Creator: 'MedSeal', CreationDate: at, ModDate: at };
  const document = new PDFDocument({ size: 'A4', margin: MARGIN, info, lang: 'zh-CN', displayTitle: true });
  const chunks: Buffer[] = [];
  document.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<void>((resolve, reject) => document.once('end', resolve).once('error', reject));

  const right = document.page.width - MARGIN;
  drawCode(document, `${page}#sha256=${digest}`, right - CODE_WIDTH, MARGIN);
  draw(document, typeface, title.zh, 22);
  document.font('Helvetica').fontSize(15).fillColor(INK).text(title.en, MARGIN).moveDown(0.8);
  paragraph(document, typeface, statement, right - CODE_WIDTH - MARGIN - 24);
  document.y = Math.max(document.y, MARGIN + CODE_WIDTH) + 14;
  for (const { label, value } of rows) drawRow(document, typeface, label, value);
  document.moveDown(1);
  for (const instruction of instructions) paragraph(document, typeface, instruction, right - MARGIN);
  document.file(Buffer.from(file), {
    name: 'evidence.json',
    type: 'application/json',
    description: 'The evidence that this certificate is about',
    creationDate: at,
    modifiedDate: at,
  });
  document.end();
  await ended;
  return Buffer.concat(chunks);
}

function drawRow(document: Document, typeface: Typeface, label: Bilingual, value: string): void {
  const top = document.y + 5;
  document
    .moveTo(MARGIN, top - 3)
    .lineTo(document.page.width - MARGIN, top - 3)
    .lineWidth(0.4)
    .stroke('#bbbbbb');
  document.y = top;
  draw(document, typeface, label.zh, 9.5);
  document
    .font('Helvetica')
    .fontSize(8)
    .fillColor('#555555')
    .text(label.en, MARGIN, document.y, { width: LABEL_WIDTH });
  const below = document.y;
  document.x = MARGIN + LABEL_WIDTH;
  document.y = top;
  draw(document, typeface, value, 9.5, document.page.width - MARGIN - document.x);
  document.x = MARGIN;
  document.y = Math.max(below, document.y) + 2;
}

function paragraph(document: Document, typeface: Typeface, text: Bilingual, width: number): void {
  draw(document, typeface, text.zh, 10, width);
  document
    .font('Helvetica')
    .fontSize(9)
    .fillColor(INK)
    .text(text.en, MARGIN, document.y + 1, { width })
    .moveDown(0.5);
}

/** Text whose first baseline is `size` below the document's place, broken into lines anywhere; the place moves below it. */
function draw(document: Document, typeface: Typeface, text: string, size: number, width = Number.POSITIVE_INFINITY) {
  if (/^[\x20-\x7e]*$/.test(text)) {
    const limits = Number.isFinite(width) ? { width } : {};
    const top = document.y + size - (size - 1) * ASCENDER;
    document
      .font('Courier')
      .fontSize(size - 1)
      .fillColor(INK)
      .text(text, document.x, top, limits);
    return;
  }
  const left = document.x;
  let x = 0;
  let baseline = document.y + size;
  for (const { path, width: advance, scale } of typeface.outlines(text)) {
    if (x + advance * size > width) {
      x = 0;
      baseline += size * 1.4;
    }
    drawOutline(document, path, { x: left + x, y: baseline, size, scale });
    x += advance * size;
  }
  document.y = baseline + size * 0.45;
}

function drawOutline(
  document: Document,
  path: string,
  { x, y, size, scale }: { readonly x: number; readonly y: number; readonly size: number; readonly scale: number },
): void {
  if (path === '') return; // a space
  document
    .save()
    .translate(x, y)
    .scale(size * scale, -size * scale);
  document.path(path).fill(INK, 'non-zero').restore();
}

/** ISO/IEC 18004, with the quiet zone around it. */
function drawCode(document: Document, text: string, left: number, top: number): void {
  const { data, size } = encode(text, { ecc: 'M', border: 2 });
  const cell = CODE_WIDTH / size;
  for (const [y, line] of data.entries()) {
    for (const [x, dark] of line.entries()) {
      if (dark) document.rect(left + x * cell, top + y * cell, cell + 0.02, cell + 0.02);
    }
  }
  document.fill('#000000');
}
