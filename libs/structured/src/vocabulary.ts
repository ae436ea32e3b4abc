import { readFile } from 'node:fs/promises';
import { InvalidRequestError, messageOf } from '@attune/platform';
import { toByteLevel } from './byte-level.js';

/** The text of every token, as grammars need it. */
export interface Vocabulary {
  /** By token id, in the alphabet of `kind`; '' = the token stands for no text and never fits a grammar. */
  readonly pieces: readonly string[];
  readonly kind: 'byte_level' | 'byte_fallback' | 'raw';
  /** Control tokens: no text by themselves, but a tool-call format may be built of them. */
  readonly specials: readonly { readonly id: number; readonly piece: string; readonly text: string }[];
  /** The decoder drops the first space of an answer, so that the tokens have one more than the text. */
  readonly stripsFirstSpace: boolean;
}

interface TokenizerJson {
  readonly model?: { readonly vocab?: unknown; readonly byte_fallback?: boolean };
  readonly added_tokens?: readonly { readonly id: number; readonly content: string; readonly special?: boolean }[];
  readonly decoder?: DecoderJson | null;
  readonly pre_tokenizer?: DecoderJson | null;
}
interface DecoderJson {
  readonly type?: string;
  readonly content?: string;
  readonly start?: number;
  readonly decoders?: readonly DecoderJson[];
  readonly pretokenizers?: readonly DecoderJson[];
}

/**
 * Reads a Hugging Face tokenizer.json.
 * @throws InvalidRequestError when the file is missing or is no tokenizer
 */
export async function readVocabulary(file: string): Promise<Vocabulary> {
  try {
    return vocabularyOf(JSON.parse(await readFile(file, 'utf8')) as TokenizerJson);
  } catch (error) {
    throw new InvalidRequestError(
      `constrained answers need the model's tokenizer, but ${file} cannot be used: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

export function vocabularyOf(json: TokenizerJson): Vocabulary {
  const ids = tokenIds(json.model?.vocab);
  if (ids.length === 0) throw new InvalidRequestError('it lists no tokens');
  const kind = kindOf(json, new Set(ids.map(([piece]) => piece)));
  const added = json.added_tokens ?? [];
  const pieces: string[] = [];
  for (const [piece, id] of ids) pieces[id] = piece;
  for (const { id, content } of added) pieces[id] = toPiece(content, kind);
  const specials = added
    .filter(({ special }) => special)
    .map(({ id, content }) => ({ id, piece: pieces[id]!, text: content }));
  for (const { id } of specials) pieces[id] = '';
  return {
    pieces: Array.from(pieces, (piece) => piece ?? ''),
    kind,
    specials,
    stripsFirstSpace: parts(json.decoder).some(
      ({ type, content, start }) => type === 'Strip' && content === ' ' && start === 1,
    ),
  };
}

/** Both layouts of a vocabulary: token -> id, and a list of [token, score]. */
function tokenIds(vocab: unknown): [string, number][] {
  if (Array.isArray(vocab)) return (vocab as [string, number][]).map(([piece], id) => [piece, id]);
  return Object.entries((vocab ?? {}) as Record<string, number>);
}

function kindOf(json: TokenizerJson, pieces: ReadonlySet<string>): Vocabulary['kind'] {
  const steps = [...parts(json.decoder), ...parts(json.pre_tokenizer)];
  if (steps.some(({ type }) => type === 'ByteLevel')) return 'byte_level';
  return json.model?.byte_fallback === true || pieces.has('<0x0A>') ? 'byte_fallback' : 'raw';
}

/** Added tokens are written as plain text, unlike the others. */
function toPiece(text: string, kind: Vocabulary['kind']): string {
  if (kind === 'byte_level') return toByteLevel(text);
  return kind === 'byte_fallback' ? text.replaceAll(' ', '▁') : text;
}

function parts(step: DecoderJson | null | undefined): readonly DecoderJson[] {
  if (!step) return [];
  return (step.decoders ?? step.pretokenizers)?.flatMap(parts) ?? [step];
}
