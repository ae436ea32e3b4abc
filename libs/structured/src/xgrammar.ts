import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as XGrammar from '@mlc-ai/web-xgrammar';

export type { CompiledGrammar, GrammarCompiler, GrammarMatcher } from '@mlc-ai/web-xgrammar';

export interface LoadedXGrammar {
  readonly library: typeof XGrammar;
  /** What it printed since the last call: it reports errors nowhere else. */
  takeOutput(): string[];
}

/**
 * Loads web-xgrammar. Its file is a UMD bundle in a package that calls itself an ES module, so Node can neither require
 * nor import it; it is run here as the function body it is, with a console that keeps what it says.
 */
export function loadXGrammar(): LoadedXGrammar {
  const require = createRequire(import.meta.url);
  const file = require.resolve('@mlc-ai/web-xgrammar');
  const printed: string[] = [];
  const print = (...parts: unknown[]) => void printed.push(parts.join(' '));
  const module = { exports: {} as typeof XGrammar };
  const parameters = ['exports', 'module', 'require', '__filename', 'console'];
  // The bundle imports 'module' dynamically, which code compiled by node:vm may not.
  const run = new Function(...parameters, readFileSync(file, 'utf8')) as (...values: unknown[]) => void;
  run(module.exports, module, require, file, { log: print, error: print, warn: print });
  return { library: module.exports, takeOutput: () => printed.splice(0) };
}
