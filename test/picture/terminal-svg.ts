/** What a terminal shows, with its colours, as an SVG of text: sharp at any size, and small. */
import { textWidth } from '../../src/cli/text-width.ts';

interface Style {
  readonly color?: string;
  readonly bold: boolean;
  readonly dim: boolean;
}

interface Piece extends Style {
  readonly text: string;
}

const plain: Style = { bold: false, dim: false };
const cell = { width: 8.4, height: 19 };
const margin = { x: 18, top: 44, bottom: 16 };
const palette = ['#3b4252', '#f28b82', '#5cc48d', '#e8c063', '#6aa9ee', '#c792ea', '#5fc7cf', '#d8dee9'];
const colors = { back: '#161b22', bar: '#21262d', text: '#d8dee9', dim: '#8b949e' };

/** Lines as `tmux capture-pane -e` gives them: text, and the escape sequences of its colours. */
export interface Frame {
  readonly screen: string;
  /** How long it is shown; the last one stays. */
  readonly seconds: number;
}

/** Of several screens a film that plays once; where nothing moves, the last one is shown. */
export function terminalSvg(frames: readonly Frame[], title: string, columns: number): string {
  const screens = frames.map(({ screen }) => screen.replace(/\s+$/, '').split('\n'));
  const width = Math.ceil(columns * cell.width + 2 * margin.x);
  const rows = Math.max(...screens.map(({ length }) => length));
  const height = margin.top + rows * cell.height + margin.bottom;
  const dots = ['#f28b82', '#e8c063', '#5cc48d'].map(
    (color, index) => `<circle cx="${20 + index * 18}" cy="16" r="5.5" fill="${color}"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeText(title)}">
<rect width="${width}" height="${height}" rx="9" fill="${colors.back}"/><path d="M0 32V9a9 9 0 0 1 9-9h${width - 18}a9 9 0 0 1 9 9v23z" fill="${colors.bar}"/>${dots.join('')}
<text x="${width / 2}" y="21" text-anchor="middle" font-family="system-ui,sans-serif" font-size="12.5" fill="${colors.dim}">${escapeText(title)}</text>
<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14" fill="${colors.text}">
${screens.map((lines, index) => `<g${turn(frames, index)}${drawScreen(lines)}</g>`).join('\n')}
</g></svg>
`;
}

/** Rest of the tag of a group that is seen in its turn alone (SMIL). */
function turn(frames: readonly Frame[], index: number): string {
  if (frames.length === 1) return '>';
  const lengths = frames.map(({ seconds }) => seconds);
  const total = lengths.reduce((sum, each) => sum + each, 0);
  const before = lengths.slice(0, index).reduce((sum, each) => sum + each, 0);
  const [from, to] = [before, before + (lengths[index] ?? 0)].map((at) => Math.round((at / total) * 1000) / 1000);
  const isLast = index === frames.length - 1;
  const values = index === 0 ? 'visible;hidden' : isLast ? 'hidden;visible' : 'hidden;visible;hidden';
  const times = index === 0 ? `0;${to}` : isLast ? `0;${from}` : `0;${from};${to}`;
  return ` visibility="${isLast ? 'visible' : 'hidden'}"><animate attributeName="visibility" calcMode="discrete" dur="${total}s" fill="freeze" values="${values}" keyTimes="${times}"/>`;
}

function drawScreen(lines: readonly string[]): string {
  let style = plain;
  const rows = lines.map((line, index) => {
    const { pieces, last } = parseLine(line, style);
    style = last;
    return drawLine(pieces, margin.top + (index + 0.75) * cell.height);
  });
  return rows.filter((row) => row !== '').join('\n');
}

function parseLine(line: string, before: Style): { pieces: readonly Piece[]; last: Style } {
  let style = before;
  const pieces: Piece[] = [];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is read here
  for (const [, codes, text] of line.matchAll(/\u001b\[([\d;]*)m|([^\u001b]+)/g)) {
    if (text === undefined) style = (codes || '0').split(';').map(Number).reduce(applyCode, style);
    else pieces.push({ ...style, text });
  }
  return { pieces, last: style };
}

/** Of "Select Graphic Rendition" (ECMA-48, 8.3.117): what chalk and progress bars use. */
function applyCode(style: Style, code: number): Style {
  if (code === 0) return plain;
  if (code === 1) return { ...style, bold: true };
  if (code === 2) return { ...style, dim: true };
  if (code === 22) return { ...style, bold: false, dim: false };
  if (code === 39) return { ...style, color: undefined };
  if (code >= 30 && code <= 37) return { ...style, color: palette[code - 30] };
  if (code >= 90 && code <= 97) return { ...style, color: palette[code - 90] };
  return style;
}

/** Every piece is held to its cells, whatever widths the reader's font has for blocks and other scripts. */
function drawLine(pieces: readonly Piece[], y: number): string {
  let column = 0;
  const drawn: string[] = [];
  for (const { text, color, bold, dim } of pieces.flatMap(words)) {
    const width = textWidth(text);
    const fill = color ?? (dim ? colors.dim : undefined);
    const look = `${fill === undefined ? '' : ` fill="${fill}"`}${bold ? ' font-weight="700"' : ''}`;
    const x = round(margin.x + column * cell.width);
    column += width;
    if (text.trim() === '') continue;
    drawn.push(
      `<text x="${x}" y="${round(y)}" textLength="${round(width * cell.width)}" lengthAdjust="spacingAndGlyphs"${look}>${escapeText(text)}</text>`,
    );
  }
  return drawn.join('');
}

/** Blanks apart, where they are two or more or at an end: a text that begins with one would lose it. */
function words(piece: Piece): Piece[] {
  return piece.text
    .split(/( {2,}|^ | $)/)
    .filter((text) => text !== '')
    .map((text) => ({ ...piece, text }));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeText(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}
