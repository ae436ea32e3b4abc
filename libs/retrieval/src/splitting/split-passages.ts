import { Document } from '@langchain/core/documents';
import { MarkdownTextSplitter, RecursiveCharacterTextSplitter } from '@langchain/textsplitters';
import type { DocumentMetadata } from '../loading/load-document.js';
import { markdownSections } from './markdown-sections.js';

export interface SplitOptions {
  /** Longest passage, in characters (or as `measure` counts). */
  readonly chunkCharacters: number;
  /** Characters that neighbouring passages share, so that no sentence is lost at a cut. */
  readonly overlapCharacters: number;
  /** How long a text is; left out: its characters. */
  readonly measure?: (text: string) => number;
}

/**
 * Cuts documents into passages: at headings, paragraphs, lines, sentences, words, whichever first makes them short
 * enough. A markdown passage begins with the headings it stands under, which say what it is about.
 */
export async function splitPassages(
  documents: readonly Document<DocumentMetadata>[],
  options: SplitOptions,
): Promise<string[]> {
  const passages: string[] = [];
  for (const { pageContent, metadata } of documents) {
    const markdown = metadata.mimeType === 'text/markdown';
    passages.push(...(await (markdown ? splitMarkdown(pageContent, options) : splitText(pageContent, options))));
  }
  return passages.map(compact).filter((text) => /[\p{L}\p{N}]/u.test(text));
}

/** Stands for the space after a sentence: the splitter moves separators to the next chunk, a full stop must not go. */
const SENTENCE_GAP = '\u2028';
const SEPARATORS = ['\n\n', '\n', SENTENCE_GAP, ' ', ''];

async function splitText(text: string, options: SplitOptions): Promise<string[]> {
  const splitter = new RecursiveCharacterTextSplitter({ ...sizes(options), separators: SEPARATORS });
  const chunks = await splitter.splitText(text.replace(/(?<=[.!?;]["')\]]?) (?=\S)/g, SENTENCE_GAP));
  return chunks.map((chunk) => chunk.replaceAll(SENTENCE_GAP, ' '));
}

async function splitMarkdown(text: string, options: SplitOptions): Promise<string[]> {
  const passages: string[] = [];
  for (const section of markdownSections(text)) {
    // A heading path longer than a third of a passage would crowd out what it introduces.
    const path = section.headings.join(' > ').slice(0, Math.floor(options.chunkCharacters / 3));
    const length = options.measure ?? ((text: string) => text.length);
    const room = options.chunkCharacters - (path ? length(`${path}\n`) : 0);
    const splitter = new MarkdownTextSplitter(sizes({ ...options, chunkCharacters: room }));
    const chunks = await splitter.splitText(section.text);
    passages.push(...chunks.map((chunk) => (path ? `${path}\n${chunk}` : chunk)));
  }
  return passages;
}

/** An overlap of half a passage or more would make the splitter repeat itself. */
function sizes({ chunkCharacters, overlapCharacters, measure }: SplitOptions) {
  return {
    chunkSize: chunkCharacters,
    chunkOverlap: Math.min(overlapCharacters, Math.floor(chunkCharacters / 2)),
    ...(measure && { lengthFunction: measure }),
  };
}

const compact = (text: string) =>
  text
    .replace(/[ \t]+/g, ' ')
    .replace(/\n\s*\n/g, '\n')
    .trim();
