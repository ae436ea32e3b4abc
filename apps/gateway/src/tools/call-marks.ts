import type { ToolCallFormat } from '@attune/tokenizer';

/** Where calls stand in an answer. */
export interface CallMarks {
  /** What a call begins with; a mark that begins with `{` is part of the call itself. */
  opening: readonly string[];
  /** What ends the calls; without one they end where anything but another call follows. */
  closing?: string;
  /** What stands between the marks and the calls. */
  separators: RegExp;
  /** Only an answer that begins with a call holds any. */
  onlyFirst: boolean;
  /** Special tokens that have to stay in the text for the marks to be seen. */
  specialTokens: readonly string[];
  /** How a call is written around its arguments; `tag` begins with an opening mark. */
  tag(name: string): { begin: string; end: string };
  trigger: string;
}

const named = (name: string, key: string) => `{"name": ${JSON.stringify(name)}, "${key}": `;

/** One row a format; templates are told apart by @attune/tokenizer. */
export const callMarks: Record<ToolCallFormat, CallMarks> = {
  hermes: {
    opening: ['<tool_call>'],
    closing: '</tool_call>',
    separators: /^\s+/,
    onlyFirst: false,
    specialTokens: ['<tool_call>', '</tool_call>'],
    trigger: '<tool_call>',
    tag: (name) => ({ begin: `<tool_call>\n${named(name, 'arguments')}`, end: '}\n</tool_call>' }),
  },
  mistral: {
    opening: ['[TOOL_CALLS]'],
    closing: ']',
    separators: /^[\s,[]+/,
    onlyFirst: false,
    specialTokens: ['[TOOL_CALLS]'],
    trigger: '[TOOL_CALLS]',
    tag: (name) => ({ begin: `[TOOL_CALLS] [${named(name, 'arguments')}`, end: '}]' }),
  },
  llama3: {
    opening: ['<|python_tag|>', '{"name":'],
    separators: /^[\s;]+/,
    onlyFirst: true,
    specialTokens: ['<|python_tag|>'],
    trigger: '{"name": ',
    tag: (name) => ({ begin: named(name, 'parameters'), end: '}' }),
  },
};
