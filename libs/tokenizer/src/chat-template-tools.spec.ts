import { describe, expect, it } from 'vitest';
import { attuneChatTemplate } from './attune-template.js';
import type { ChatMessage, ToolDeclaration } from './chat-message.js';
import { ChatTemplate } from './chat-template.js';

const weather: ToolDeclaration = {
  type: 'function',
  function: { name: 'weather', description: 'The weather.', parameters: { type: 'object', properties: {} } },
};
const call = (id: string, city: string) => ({
  id,
  type: 'function',
  function: { name: 'weather', arguments: `{"city": "${city}"}` },
});
const conversation: ChatMessage[] = [
  { role: 'user', content: 'Weather in Rome and Oslo?' },
  { role: 'assistant', content: '', tool_calls: [call('call_abcdefghij', 'Rome'), call('call_klmnopqrst', 'Oslo')] },
  { role: 'tool', content: 'sunny', tool_call_id: 'call_abcdefghij', name: 'weather' },
  { role: 'tool', content: 'snow', tool_call_id: 'call_klmnopqrst', name: 'weather' },
];

/** The tool parts of the templates of Qwen2.5-Instruct, Mistral-7B-Instruct-v0.3 and Llama-3.1-Instruct. */
const qwen =
  "{%- if tools %}{{- '<|im_start|>system\\n# Tools\\n<tools>' }}{%- for tool in tools %}{{- '\\n' }}{{- tool | tojson }}{%- endfor %}{{- '\\n</tools>\\nreturn <tool_call></tool_call><|im_end|>\\n' }}{%- endif %}" +
  "{%- for message in messages %}{%- if message.role == 'user' %}{{- '<|im_start|>user\\n' + message.content + '<|im_end|>\\n' }}" +
  "{%- elif message.role == 'assistant' %}{{- '<|im_start|>assistant' }}{%- if message.content %}{{- '\\n' + message.content }}{%- endif %}{%- for tool_call in message.tool_calls %}{%- if tool_call.function is defined %}{%- set tool_call = tool_call.function %}{%- endif %}{{- '\\n<tool_call>\\n{\"name\": \"' }}{{- tool_call.name }}{{- '\", \"arguments\": ' }}{{- tool_call.arguments | tojson }}{{- '}\\n</tool_call>' }}{%- endfor %}{{- '<|im_end|>\\n' }}" +
  "{%- elif message.role == 'tool' %}{{- '<|im_start|>user\\n<tool_response>\\n' + message.content + '\\n</tool_response><|im_end|>\\n' }}{%- endif %}{%- endfor %}";
const mistral =
  "{%- for message in messages %}{%- if message.role == 'user' %}{%- if tools is not none %}{{- '[AVAILABLE_TOOLS] ' + (tools | tojson) + '[/AVAILABLE_TOOLS]' }}{%- endif %}{{- '[INST] ' + message.content + '[/INST]' }}" +
  "{%- elif message.tool_calls is defined and message.tool_calls is not none %}{{- '[TOOL_CALLS] [' }}{%- for tool_call in message.tool_calls %}{%- if tool_call.id | length != 9 %}{{- raise_exception('Tool call IDs should be alphanumeric strings with length 9!') }}{%- endif %}{{- tool_call.function | tojson }}{%- if not loop.last %}{{- ', ' }}{%- endif %}{%- endfor %}{{- ']' }}" +
  "{%- elif message.role == 'tool' %}{{- '[TOOL_RESULTS] {\"content\": ' + message.content + ', \"call_id\": \"' + message.tool_call_id + '\"}[/TOOL_RESULTS]' }}{%- endif %}{%- endfor %}";
const llama =
  "{%- for message in messages %}{%- if message.role == 'user' %}{{- message.content }}{%- if tools is not none %}{%- for t in tools %}{{- t | tojson }}{%- endfor %}{%- endif %}{%- elif 'tool_calls' in message %}{{- '{\"name\": \"' + message.tool_calls[0].function.name + '\", \"parameters\": ' }}{{- message.tool_calls[0].function.arguments | tojson }}{{- '}' }}{%- elif message.role == 'tool' %}{{- '<|start_header_id|>ipython<|end_header_id|>\\n' + message.content }}{%- endif %}{%- endfor %}<|python_tag|>";

describe('tools under a chat template', () => {
  it('take the form of Qwen’s, arguments as objects', () => {
    const template = new ChatTemplate(qwen, {});
    const text = template.render(conversation, { tools: [weather] });
    expect(template.toolCallFormat).toBe('hermes');
    expect(text).toContain('"name": "weather"');
    expect(text).toContain('<tool_call>\n{"name": "weather", "arguments": {"city": "Oslo"}}\n</tool_call><|im_end|>');
    expect(text).toContain('<tool_response>\nsnow\n</tool_response>');
    expect(template.render(conversation)).not.toContain('# Tools');
  });

  it('take the form of Mistral’s, with ids of nine characters that stay pairs', () => {
    const template = new ChatTemplate(mistral, {});
    const text = template.render(conversation, { tools: [weather] });
    expect(template.toolCallFormat).toBe('mistral');
    expect(text).toContain('[TOOL_CALLS] [{"name": "weather", "arguments": {"city": "Rome"}}, {');
    expect(text).toContain('"call_id": "bcdefghij"');
  });

  it('take the form of Llama 3’s', () => {
    const template = new ChatTemplate(llama, {});
    expect(template.toolCallFormat).toBe('llama3');
    expect(template.render(conversation, { tools: [weather] })).toContain(
      '{"name": "weather", "parameters": {"city": "Rome"}}',
    );
  });

  it('stand in plain turns where the template knows none', () => {
    const template = new ChatTemplate(attuneChatTemplate, { bos_token: '<|bos|>' });
    const text = template.render(conversation, { tools: [weather], addGenerationPrompt: true });
    expect(template.toolCallFormat).toBe('hermes');
    expect(text).toContain('<|system|>You can call these functions:\n{"name":"weather",');
    expect(text).toContain(
      '<|assistant|><tool_call>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call>\n<tool_call>',
    );
    // Both results answer one turn.
    expect(text.split('<|user|>')).toHaveLength(3);
    expect(text).toMatch(/sunny\n<\/tool_response>\n<tool_response>\nsnow\n<\/tool_response><\|end\|><\|assistant\|>$/);
  });

  it('join a system message that is there already', () => {
    const template = new ChatTemplate(attuneChatTemplate, { bos_token: '' });
    const text = template.render([{ role: 'system', content: 'Be kind.' }], { tools: [weather] });
    expect(text.match(/<\|system\|>/g)).toHaveLength(1);
    expect(text).toMatch(/^<\|system\|>Be kind\.\n\nYou can call/);
  });
});
