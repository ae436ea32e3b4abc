/** A stretch of markdown under one heading. */
export interface MarkdownSection {
  /** From the outermost heading to the nearest. */
  readonly headings: readonly string[];
  readonly text: string;
}

const FENCE = /^\s*(```|~~~)/;
const HEADING = /^(#{1,6})\s+(.+?)\s*#*$/;

/** Cuts markdown at its headings; `#` lines inside code fences are code. Sections without text are left out. */
export function markdownSections(markdown: string): MarkdownSection[] {
  const sections: MarkdownSection[] = [];
  let headings: string[] = [];
  let lines: string[] = [];
  let fenced = false;
  const close = () => {
    const text = lines.join('\n').trim();
    if (text) sections.push({ headings: headings.filter(Boolean), text });
    lines = [];
  };
  for (const line of markdown.split('\n')) {
    if (FENCE.test(line)) fenced = !fenced;
    const [, marks, title] = fenced ? [] : (HEADING.exec(line) ?? []);
    if (!marks) {
      lines.push(line);
      continue;
    }
    close();
    // A skipped level leaves a hole, which the filter in close() drops.
    headings = [...Array.from({ length: marks.length - 1 }, (_, level) => headings[level] ?? ''), title];
  }
  close();
  return sections;
}
