import { createHash } from 'node:crypto';
import type { OutputStructure } from '@attune/contracts';
import { messageOf } from '@attune/platform';
import { problemOfStructure } from './check-structure.js';
import { GrammarThread } from './grammar-thread.js';
import type { Matcher } from './matcher.js';
import type { Vocabulary } from './vocabulary.js';

export interface StructureCompilerOptions {
  /** Called once, when the first structure comes. */
  readonly vocabulary: () => Promise<Vocabulary>;
  /** Size of the model's logits. */
  readonly vocabSize: number;
  readonly maxThreads?: number;
  /** Compiled structures to remember. */
  readonly cacheSize?: number;
  readonly compileLimitMs?: number;
}

export type StructureCheck = { readonly ok: true } | { readonly ok: false; readonly reason: string };
export type OpenedStructure =
  { readonly ok: true; readonly matcher: Matcher } | { readonly ok: false; readonly reason: string };

/** A structure that was compiled, or refused; kept under the hash of its JSON. */
type Compiled =
  | { readonly thread: GrammarThread }
  /** `passing`: it may go better the next time, so it is not remembered. */
  | { readonly reason: string; readonly passing?: boolean };

const MAX_THREADS = 3;
const CACHE_SIZE = 128;
const COMPILE_LIMIT_MS = 10_000;
const CLOSED = 'the engine is closed';

/** Compiles structures off the caller's thread and opens matchers of them. */
export class StructureCompiler {
  /** Least recently used first. */
  private readonly cache = new Map<string, Promise<Compiled>>();
  private readonly threads = new Set<GrammarThread>();
  private vocabulary: Promise<Vocabulary> | undefined;
  private closed = false;

  constructor(private readonly options: StructureCompilerOptions) {}

  /** Whether answers can be held to a structure; compiles it if that has not been done. */
  async check(structure: OutputStructure): Promise<StructureCheck> {
    const compiled = await this.compiled(structure);
    return 'reason' in compiled ? { ok: false, reason: compiled.reason } : { ok: true };
  }

  /**
   * A matcher for one answer, which must be closed.
   * @param stopIds tokens that end the answer
   */
  async open(structure: OutputStructure, stopIds: readonly number[]): Promise<OpenedStructure> {
    const key = keyOf(structure);
    for (;;) {
      const entry = this.compiled(structure, key);
      const compiled = await entry;
      if ('reason' in compiled) return { ok: false, reason: compiled.reason };
      const { thread } = compiled;
      await thread.turnstile.enter();
      // While we stood in line the grammar may have been dropped, or its thread have ended.
      const current = this.cache.get(key);
      if (thread.alive && current && (await current) === compiled)
        return { ok: true, matcher: thread.open(key, stopIds) };
      thread.turnstile.leave();
      if (!thread.alive) this.forget(key, entry);
    }
  }

  close(): void {
    this.closed = true;
    for (const thread of this.threads) thread.end(CLOSED);
    this.threads.clear();
    this.cache.clear();
  }

  private compiled(structure: OutputStructure, key = keyOf(structure)): Promise<Compiled> {
    const compiled = this.cache.get(key) ?? this.compileAnew(structure, key);
    this.cache.delete(key);
    this.cache.set(key, compiled);
    this.evict();
    return compiled;
  }

  private compileAnew(structure: OutputStructure, key: string): Promise<Compiled> {
    const entry = this.compile(structure, key);
    void entry.then((compiled) => {
      if ('reason' in compiled && compiled.passing) this.forget(key, entry);
    });
    return entry;
  }

  private forget(key: string, entry: Promise<Compiled>): void {
    if (this.cache.get(key) === entry) this.cache.delete(key);
  }

  private async compile(structure: OutputStructure, key: string): Promise<Compiled> {
    const problem = problemOfStructure(structure);
    if (problem) return { reason: problem };
    try {
      const vocabulary = await this.readVocabulary();
      for (;;) {
        if (this.closed) return { reason: CLOSED, passing: true };
        const thread = this.chooseThread(vocabulary);
        const outcome = await thread.turnstile.runAlone(() => this.compileOn(thread, structure, key));
        if (outcome) return outcome;
      }
    } catch (error) {
      return { reason: messageOf(error), passing: true };
    }
  }

  private async readVocabulary(): Promise<Vocabulary> {
    try {
      return await (this.vocabulary ??= this.options.vocabulary());
    } catch (error) {
      this.vocabulary = undefined; // the file may be readable the next time
      throw error;
    }
  }

  /** @returns null when the thread ended while others were in it */
  private async compileOn(thread: GrammarThread, structure: OutputStructure, key: string): Promise<Compiled | null> {
    if (!thread.alive) return null;
    // A compilation that fails leaves the library in an unknown state, so its thread ends; nobody else is inside.
    const reason = await thread.compile(key, structure, this.options.compileLimitMs ?? COMPILE_LIMIT_MS);
    if (reason === null) return { thread };
    const passing = !thread.alive; // it took too long, or the thread ended by itself
    thread.end(reason);
    return { reason, passing };
  }

  /** An idle thread, or a new one, or the one with the least to do. */
  private chooseThread(vocabulary: Vocabulary): GrammarThread {
    const [least] = [...this.threads].filter(({ alive }) => alive).sort((a, b) => a.turnstile.load - b.turnstile.load);
    if (least && (least.turnstile.load === 0 || this.threads.size >= (this.options.maxThreads ?? MAX_THREADS)))
      return least;
    const thread = new GrammarThread({ vocabulary, vocabSize: this.options.vocabSize }, (ended) => this.retire(ended));
    this.threads.add(thread);
    return thread;
  }

  /** Forgets a thread that ended, and what it compiled. */
  private retire(thread: GrammarThread): void {
    this.threads.delete(thread);
    for (const [key, entry] of this.cache) {
      void entry.then((compiled) => {
        if ('thread' in compiled && compiled.thread === thread) this.forget(key, entry);
      });
    }
  }

  private evict(): void {
    const [oldest] = this.cache;
    if (!oldest || this.cache.size <= (this.options.cacheSize ?? CACHE_SIZE)) return;
    const [key, entry] = oldest;
    this.cache.delete(key);
    void entry.then((compiled) => {
      if ('thread' in compiled && !this.cache.has(key)) compiled.thread.drop(key);
    });
  }
}

const keyOf = (structure: OutputStructure) => createHash('sha256').update(JSON.stringify(structure)).digest('hex');
