import type { ToolCallFormat } from '@attune/tokenizer';
import { array, assert, constantFrom, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ToolCallParser, type AnswerPiece } from './tool-call-parser.js';

/** Neighbouring pieces of one kind joined, so that the cuts between them do not matter. */
function parse(format: ToolCallFormat, texts: readonly string[]) {
  const parser = new ToolCallParser(format);
  const pieces: AnswerPiece[] = [...texts.flatMap((text) => parser.push(text)), ...parser.flush()];
  const joined: AnswerPiece[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    if (last && last.type !== 'call' && piece.type === last.type) last.text += (piece as { text: string }).text;
    else joined.push({ ...piece });
  }
  return { joined, complete: parser.complete, calls: parser.numCalls };
}

const call = (name: string, text: string): AnswerPiece[] => [
  { type: 'call', name },
  { type: 'arguments', text },
];
const say = (text: string): AnswerPiece => ({ type: 'text', text });

const cases: [string, ToolCallFormat, string, AnswerPiece[]][] = [
  ['words alone', 'hermes', ' No <tool> here. \n', [say(' No <tool> here. \n')]],
  [
    'Hermes',
    'hermes',
    'I look.\n<tool_call>\n{"name": "weather", "arguments": {"city": "O}s\\"lo"}}\n</tool_call>\n',
    [say('I look.'), ...call('weather', '{"city": "O}s\\"lo"}')],
  ],
  [
    'two of Hermes, and words after them',
    'hermes',
    '<tool_call>{"name":"a","arguments":{}}</tool_call>\n<tool_call>{"name":"b","arguments":{"x":[1,2]}}</tool_call>\nDone.',
    [...call('a', '{}'), ...call('b', '{"x":[1,2]}'), say('Done.')],
  ],
  [
    'arguments before the name',
    'hermes',
    '<tool_call>{"arguments": {"x": 1}, "name": "a"}</tool_call>',
    call('a', '{"x": 1}'),
  ],
  [
    'arguments as a string',
    'hermes',
    '<tool_call>{"name": "a", "arguments": "{\\"x\\": 1}"}</tool_call>',
    call('a', '{"x": 1}'),
  ],
  ['no call at all inside the marks', 'hermes', '<tool_call>{"a": 1}</tool_call>', [say('{"a": 1}</tool_call>')]],
  [
    'Mistral',
    'mistral',
    '[TOOL_CALLS] [{"name": "a", "arguments": {"x": 1}}, {"name": "b", "arguments": {}}]',
    [...call('a', '{"x": 1}'), ...call('b', '{}')],
  ],
  ['Llama 3', 'llama3', ' {"name": "a", "parameters": {"x": {"y": 2}}}', call('a', '{"x": {"y": 2}}')],
  [
    'Llama 3 with its tag',
    'llama3',
    '<|python_tag|>{"name": "a", "parameters": {}}; {"name": "b", "parameters": {}}',
    [...call('a', '{}'), ...call('b', '{}')],
  ],
  [
    'JSON that Llama 3 only talks about',
    'llama3',
    'So: {"name": "a", "parameters": {}}',
    [say('So: {"name": "a", "parameters": {}}')],
  ],
];

describe('tool calls in an answer', () => {
  it.each(cases)('are told from words: %s', (_, format, text, pieces) => {
    expect(parse(format, [text]).joined).toEqual(pieces);
    expect(parse(format, [...text]).joined).toEqual(pieces);
  });

  it('are the same however the text is cut', () => {
    assert(
      property(
        constantFrom(...cases),
        array(integer({ min: 1, max: 12 }), { minLength: 1 }),
        ([, format, text], cuts) => {
          const parts: string[] = [];
          for (let at = 0, turn = 0; at < text.length; turn++)
            parts.push(text.slice(at, (at += cuts[turn % cuts.length])));
          expect(parse(format, parts).joined).toEqual(parse(format, [text]).joined);
        },
      ),
      { seed: 7 },
    );
  });

  it('give the name first and the arguments as they come', () => {
    const parser = new ToolCallParser('hermes');
    expect(parser.push('<tool_call>\n{"name": "wea')).toEqual([]);
    expect(parser.push('ther", "arguments": {"ci')).toEqual([
      { type: 'call', name: 'weather' },
      { type: 'arguments', text: '{"ci' },
    ]);
    expect(parser.complete).toBe(false);
    expect(parser.push('ty": "Oslo"}')).toEqual([{ type: 'arguments', text: 'ty": "Oslo"}' }]);
    parser.push('}\n</tool_call>');
    expect(parser).toMatchObject({ complete: true, numCalls: 1 });
  });

  it('that were cut stay incomplete', () => {
    expect(parse('hermes', ['<tool_call>\n{"name": "a", "arguments": {"x": "lo'])).toMatchObject({
      joined: call('a', '{"x": "lo'),
      complete: false,
      calls: 1,
    });
    expect(parse('hermes', ['<tool_call>\n{"na'])).toMatchObject({ joined: [say('{"na')], calls: 0 });
  });
});
