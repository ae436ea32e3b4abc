import { chatToolSettings, type ToolSettings } from '@attune/contracts';
import { describe, expect, it } from 'vitest';
import { callable, checkTools, declarations, toolStructure } from './tool-settings.js';

const tool = (name: string) => ({ type: 'function' as const, function: { name, parameters: { type: 'object' } } });
const settings = (fields: object = {}) => chatToolSettings({ tools: [tool('a'), tool('b')], ...fields })!;
const names = (tools: ToolSettings | undefined) => callable(tools).map(({ name }) => name);

describe('the tools of a request', () => {
  it('are all for the model to choose, several at once, unless it says otherwise', () => {
    expect(settings()).toMatchObject({ choice: { mode: 'auto' }, parallel: true });
    expect(names(settings())).toEqual(['a', 'b']);
    expect(settings({ parallel_tool_calls: false }).parallel).toBe(false);
    expect(chatToolSettings({ tools: [] })).toBeUndefined();
  });

  it('are narrowed by the choice', () => {
    expect(names(settings({ tool_choice: 'none' }))).toEqual([]);
    const named = settings({ tool_choice: { type: 'function', function: { name: 'b' } } });
    expect([names(named), named.choice.mode, named.parallel]).toEqual([['b'], 'required', false]);
    const allowed = { mode: 'auto', tools: [{ type: 'function', function: { name: 'a' } }] };
    expect(names(settings({ tool_choice: { type: 'allowed_tools', allowed_tools: allowed } }))).toEqual(['a']);
    expect(declarations(named)).toEqual([tool('b')]);
  });

  it('in the older form are one call at most', () => {
    const older = chatToolSettings({ functions: [{ name: 'f' }], function_call: { name: 'f' } });
    expect(older).toMatchObject({ choice: { mode: 'required', allowed: ['f'] }, parallel: false });
    expect(older!.functions[0].parameters).toMatchObject({ type: 'object', additionalProperties: false });
  });

  it('hold the answer to the model’s own form of calls', () => {
    expect(toolStructure(settings({ tool_choice: 'required' }), 'hermes')).toEqual({
      type: 'tags',
      triggers: ['<tool_call>'],
      tags: ['a', 'b'].map((name) => ({
        begin: `<tool_call>\n{"name": "${name}", "arguments": `,
        schema: { type: 'object' },
        end: '}\n</tool_call>',
      })),
      atLeastOne: true,
      stopAfterFirst: false,
    });
    expect(toolStructure(settings({ parallel_tool_calls: false }), 'mistral')).toMatchObject({
      triggers: ['[TOOL_CALLS]'],
      atLeastOne: false,
      stopAfterFirst: true,
    });
    expect(toolStructure(settings(), 'llama3')).toMatchObject({
      tags: [{ begin: '{"name": "a", "parameters": ', end: '}' }, {}],
    });
    expect(toolStructure(settings({ tool_choice: 'none' }), 'hermes')).toBeUndefined();
  });

  it('must fit each other', () => {
    expect(() => checkTools(undefined, 'required')).toThrow('there are no `tools`');
    expect(() => checkTools(undefined, 'auto')).not.toThrow();
    expect(() => checkTools(chatToolSettings({ tools: [tool('a'), tool('a')] }), 'auto')).toThrow(
      'Two tools are called `a`',
    );
    expect(() => checkTools(settings({ tool_choice: { type: 'function', function: { name: 'c' } } }), 'c')).toThrow(
      'names `c`, but the tools are `a`, `b`',
    );
  });
});
