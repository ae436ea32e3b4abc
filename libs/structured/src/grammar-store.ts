import type { OutputStructure } from '@attune/contracts';
import { formatOf } from './grammar.js';
import type { ThreadSetup } from './thread-protocol.js';
import { type CompiledGrammar, type GrammarCompiler, type GrammarMatcher, loadXGrammar } from './xgrammar.js';

/** Compiled grammars by key, in the thread that compiled them: the library cannot hand them to another. */
export class GrammarStore {
  /** The token that stands for "may end here": one past the model's own. */
  readonly endId: number;
  private readonly xgrammar = loadXGrammar();
  private readonly grammars = new Map<string, CompiledGrammar>();
  private readonly compilers = new Map<string, Promise<GrammarCompiler>>();

  constructor(private readonly setup: ThreadSetup) {
    this.endId = setup.vocabSize;
  }

  /** @returns why the structure cannot be compiled, after which the store must not be used again; null = it is there */
  async compile(key: string, structure: OutputStructure): Promise<string | null> {
    const { library } = this.xgrammar;
    this.xgrammar.takeOutput();
    try {
      const format = await formatOf(structure, library, this.setup.vocabulary.stripsFirstSpace);
      const compiler = await this.compilerFor(structure);
      const grammar = await compiler.compileStructuralTag({ type: 'structural_tag', format });
      this.grammars.set(key, grammar);
      return null;
    } catch {
      return reasonIn(this.xgrammar.takeOutput());
    }
  }

  /** Matchers already open keep what they need. */
  drop(key: string): void {
    this.grammars.get(key)?.dispose();
    this.grammars.delete(key);
  }

  match(key: string): Promise<GrammarMatcher> {
    const { GrammarMatcher: matchers } = this.xgrammar.library;
    return matchers.createGrammarMatcher(this.grammars.get(key)!, [this.endId]);
  }

  /** Control tokens count as text only for structures that spell them out. */
  private compilerFor(structure: OutputStructure): Promise<GrammarCompiler> {
    const text = structure.type === 'tags' ? JSON.stringify(structure.tags.map(({ begin, end }) => [begin, end])) : '';
    const visible = this.setup.vocabulary.specials.filter((special) => text.includes(special.text));
    const key = visible.map(({ id }) => id).join();
    const known = this.compilers.get(key);
    if (known) return known;
    const made = this.createCompiler(visible);
    this.compilers.set(key, made);
    return made;
  }

  private async createCompiler(visible: readonly { id: number; piece: string }[]): Promise<GrammarCompiler> {
    const { TokenizerInfo, GrammarCompiler: compilers } = this.xgrammar.library;
    const { vocabulary, vocabSize } = this.setup;
    const pieces = Array.from({ length: vocabSize + 1 }, (_, id) =>
      id < vocabSize ? (vocabulary.pieces[id] ?? '') : '',
    );
    for (const { id, piece } of visible) if (id < vocabSize) pieces[id] = piece;
    const info = await TokenizerInfo.createTokenizerInfo(pieces, vocabulary.kind, false, vocabSize + 1, [this.endId]);
    // The library's own cache would keep grammars that were dropped.
    return compilers.createGrammarCompiler(info, false);
  }
}

/** The library prints `[FATAL] file:line: what is wrong` before it gives up. */
function reasonIn(printed: readonly string[]): string {
  const fatal = printed
    .map((line) => /^\[FATAL\] \S+:\d+: (.*)$/s.exec(line)?.[1])
    .find((found) => found !== undefined);
  return fatal?.replace(/^Check failed: .* is false: /, '').trim() || 'the grammar compiler does not accept it';
}
