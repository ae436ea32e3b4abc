/** A line's worth of text, in the few forms a chat answer uses. */
export type Inline =
  | { kind: 'text'; text: string }
  | { kind: 'code'; text: string }
  | { kind: 'strong' | 'emphasis'; children: Inline[] }
  | { kind: 'link'; href: string; text: string }
  /** `[2]`: refers to a retrieved passage. */
  | { kind: 'reference'; number: number };

export type Block =
  | { kind: 'paragraph'; lines: Inline[][] }
  | { kind: 'heading'; level: number; content: Inline[] }
  | { kind: 'list'; ordered: boolean; start: number; items: Inline[][] }
  | { kind: 'quote'; lines: Inline[][] }
  | { kind: 'code'; language: string; text: string };

const FENCE = /^\s*```(\S*)\s*$/;
const HEADING = /^(#{1,6})\s+(.*)$/;
const BULLET = /^\s*[-*+]\s+(.*)$/;
const NUMBERED = /^\s*(\d{1,9})[.)]\s+(.*)$/;
const QUOTE = /^\s*>\s?(.*)$/;

/**
 * Markdown light: paragraphs, headings, flat lists, quotes, fenced code. Everything else stays the text it is,
 * HTML included, so nothing a model writes can become markup. An unfinished fence is code to the end, as while streaming.
 */
export function parseMarkdown(source: string): Block[] {
  const lines = source.replaceAll('\r\n', '\n').split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length;) {
    if (lines[at]!.trim() === '') at++;
    else at = readBlock(lines, at, blocks);
  }
  return blocks;
}

/** Reads the block that starts at `at`; returns the line after it. */
function readBlock(lines: string[], at: number, blocks: Block[]): number {
  const line = lines[at]!;
  const fence = FENCE.exec(line);
  if (fence) return readCode(lines, at, fence[1]!, blocks);
  const heading = HEADING.exec(line);
  if (heading) {
    blocks.push({ kind: 'heading', level: heading[1]!.length, content: parseInline(heading[2]!) });
    return at + 1;
  }
  if (NUMBERED.test(line)) return readList(lines, at, NUMBERED, blocks);
  if (BULLET.test(line)) return readList(lines, at, BULLET, blocks);
  if (QUOTE.test(line)) {
    const end = runEnd(lines, at, (text) => QUOTE.test(text));
    blocks.push({ kind: 'quote', lines: lines.slice(at, end).map((text) => parseInline(QUOTE.exec(text)![1]!)) });
    return end;
  }
  const end = Math.max(runEnd(lines, at, isParagraphLine), at + 1);
  blocks.push({ kind: 'paragraph', lines: lines.slice(at, end).map(parseInline) });
  return end;
}

function readCode(lines: string[], at: number, language: string, blocks: Block[]): number {
  const end = runEnd(lines, at + 1, (text) => !/^\s*```\s*$/.test(text));
  blocks.push({ kind: 'code', language, text: lines.slice(at + 1, end).join('\n') });
  return end + 1;
}

function readList(lines: string[], at: number, pattern: RegExp, blocks: Block[]): number {
  const ordered = pattern === NUMBERED;
  const end = runEnd(lines, at, (text) => pattern.test(text));
  const items = lines.slice(at, end).map((text) => parseInline(pattern.exec(text)![ordered ? 2 : 1]!));
  blocks.push({ kind: 'list', ordered, start: ordered ? Number(NUMBERED.exec(lines[at]!)![1]) : 1, items });
  return end;
}

function runEnd(lines: string[], from: number, belongs: (line: string) => boolean): number {
  let end = from;
  while (end < lines.length && belongs(lines[end]!)) end++;
  return end;
}

function isParagraphLine(line: string): boolean {
  return line.trim() !== '' && ![FENCE, HEADING, BULLET, NUMBERED, QUOTE].some((pattern) => pattern.test(line));
}

/** Code first (nothing is read inside it), then links to http(s) only, references, strong before emphasis. */
const INLINE =
  /`([^`\n]+)`|\[([^\]\n]+)\]\((https?:\/\/[^\s)]+)\)|\[(\d{1,3})\]|\*\*(?=\S)(.+?)(?<=\S)\*\*|(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])|(?<!\w)_(?=\S)([^_\n]+?)(?<=\S)_(?!\w)/g;

export function parseInline(text: string): Inline[] {
  const parts: Inline[] = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > from) parts.push({ kind: 'text', text: text.slice(from, match.index) });
    parts.push(inlineOf(match));
    from = match.index + match[0].length;
  }
  if (from < text.length) parts.push({ kind: 'text', text: text.slice(from) });
  return parts;
}

function inlineOf(match: RegExpExecArray): Inline {
  const [, code, label, href, reference, strong, starred, underscored] = match;
  if (code !== undefined) return { kind: 'code', text: code };
  if (href !== undefined) return { kind: 'link', href, text: label! };
  if (reference !== undefined) return { kind: 'reference', number: Number(reference) };
  if (strong !== undefined) return { kind: 'strong', children: parseInline(strong) };
  return { kind: 'emphasis', children: parseInline((starred ?? underscored)!) };
}
