/**
 * How a model writes its calls:
 * hermes   `<tool_call>\n{"name": …, "arguments": …}\n</tool_call>` (Hermes, Qwen, and templates without any form)
 * mistral  `[TOOL_CALLS][{"name": …, "arguments": …}]`, or `[TOOL_CALLS]name[ARGS]{…}` in newer ones
 * llama3   the whole answer is `{"name": …, "parameters": …}`
 */
export type ToolCallFormat = 'hermes' | 'mistral' | 'llama3';

/** The form a chat template (Jinja) teaches. */
export function toolCallFormatOf(template: string): ToolCallFormat {
  if (template.includes('[TOOL_CALLS]')) return 'mistral';
  if (template.includes('<tool_call>')) return 'hermes';
  return template.includes('<|python_tag|>') || /"parameters":/.test(template) ? 'llama3' : 'hermes';
}

/** Whether the template can show tools by itself. */
export const showsTools = (template: string): boolean => /\btools\b/.test(template);
