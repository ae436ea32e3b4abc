import type { ResponseRequest } from '@attune/contracts';
import { describe, expect, it } from 'vitest';
import { FileSearchTools, searchCitations } from './file-search.js';
import { fileSearches, textStructure, toolSettings } from './response-tools.js';

const find = { type: 'function' as const, name: 'find', parameters: null, strict: true };
const look = { ...find, name: 'look' };
const search = { type: 'file_search' as const, vector_store_ids: ['vs_1'] };
const choose = (
  tool_choice: ResponseRequest['tool_choice'],
  tools: ResponseRequest['tools'] = [find, look, search],
) => ({
  tools,
  tool_choice,
});

describe('the tools of a response', () => {
  it('are chosen as OpenAI writes it', () => {
    const choiceOf = (choice: ResponseRequest['tool_choice']) => toolSettings(choose(choice))!.choice;
    expect(choiceOf(undefined)).toEqual({ mode: 'auto' });
    expect(choiceOf('none')).toEqual({ mode: 'none' });
    expect(choiceOf('required')).toEqual({ mode: 'required' });
    expect(choiceOf({ type: 'function', name: 'look' })).toEqual({ mode: 'required', allowed: ['look'] });
    expect(choiceOf({ type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'find' }] })).toEqual({
      mode: 'auto',
      allowed: ['find'],
    });
    expect(choiceOf({ type: 'file_search' })).toEqual({ mode: 'auto' });
    expect(toolSettings({ tools: [find] })!.functions[0]).toMatchObject({
      name: 'find',
      parameters: { type: 'object' },
    });
    expect(toolSettings({ tools: [find], parallel_tool_calls: false })!.parallel).toBe(false);
  });

  it('have to be there', () => {
    expect(() => toolSettings(choose({ type: 'function', name: 'sing' }))).toThrow('`sing`');
    expect(() => toolSettings(choose('required', []))).toThrow('no `tools`');
    expect(() => toolSettings({ tools: [find, find] })).toThrow('Two tools');
    expect(toolSettings(choose('required', [search]))).toBeUndefined();
    expect(toolSettings({})).toBeUndefined();
  });

  it('are searched unless the choice leaves searching out', () => {
    expect(fileSearches(choose('auto'))).toEqual([search]);
    expect(fileSearches(choose({ type: 'file_search' }))).toEqual([search]);
    expect(fileSearches(choose('none'))).toEqual([]);
    expect(fileSearches(choose({ type: 'function', name: 'find' }))).toEqual([]);
  });

  it('leave no room for a form of text that the model might not write', () => {
    const text = { format: { type: 'json_object' as const } };
    expect(textStructure(text, undefined)).toEqual({ type: 'json_object' });
    expect(textStructure({ format: { type: 'text' } }, toolSettings({ tools: [find] }))).toBeUndefined();
    expect(() => textStructure(text, toolSettings({ tools: [find] }))).toThrow('tool_choice');
    expect(textStructure(text, toolSettings(choose('none')))).toEqual({ type: 'json_object' });
  });
});

describe('searches before the answer', () => {
  const result = (score: number) => ({ file_id: `file-${score}`, filename: 'a.txt', score, text: `text ${score}` });

  it('put the best passages of all stores first', async () => {
    const tools = new FileSearchTools({
      search: async (_, tool) => [result(tool.vector_store_ids[0] === 'vs_1' ? 0.3 : 0.9)],
    });
    const searched = await tools.run({} as never, [search, { ...search, vector_store_ids: ['vs_2'] }], 'q');
    expect(searched).toMatchObject([{ queries: ['q'], status: 'completed' }, { results: [{ score: 0.9 }] }]);
    expect(searchCitations(searched)).toMatchObject([
      { index: 1, document_id: 'file-0.9', quote: 'text 0.9' },
      { index: 2, document_id: 'file-0.3' },
    ]);
  });

  it('are not made without words, and refused without stores', async () => {
    const asked: string[] = [];
    const tools = new FileSearchTools({ search: async (_, __, query) => (asked.push(query), []) });
    expect(await tools.run({} as never, [search], undefined)).toEqual([]);
    expect(asked).toEqual([]);
    await expect(new FileSearchTools(undefined).run({} as never, [search], 'q')).rejects.toThrow('no vector stores');
    expect(await new FileSearchTools(undefined).run({} as never, [], 'q')).toEqual([]);
  });
});
