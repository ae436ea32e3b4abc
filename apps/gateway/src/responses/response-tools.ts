import {
  toFunctionTool,
  type FileSearchTool,
  type OutputStructure,
  type ResponseRequest,
  type ResponseToolChoice,
  type ToolChoice,
  type ToolSettings,
} from '@attune/contracts';
import { InvalidRequestError } from '@attune/platform';
import { checkTools } from '../tools/tool-settings.js';

/**
 * The functions the model may call, as the chat road takes them.
 * @throws InvalidRequestError when the choice names a function there is not
 */
export function toolSettings({ tools, tool_choice, parallel_tool_calls }: ToolFields): ToolSettings | undefined {
  const asked = tools ?? [];
  const functions = asked.flatMap((tool) => (tool.type === 'function' ? [toFunctionTool(tool)] : []));
  const choice = choiceOf(tool_choice ?? 'auto');
  const settings = functions.length === 0 ? undefined : { functions, choice, parallel: parallel_tool_calls ?? true };
  // A search is made whatever the model decides, which is call enough.
  const searched = asked.length > functions.length && choice.allowed === undefined;
  checkTools(settings, settings || !searched ? tool_choice : 'auto');
  return settings;
}

/** The searches to make before the model is asked. */
export function fileSearches({ tools, tool_choice }: ToolFields): FileSearchTool[] {
  const unwanted = tool_choice === 'none' || (typeof tool_choice === 'object' && tool_choice?.type !== 'file_search');
  return unwanted ? [] : (tools ?? []).flatMap((tool) => (tool.type === 'file_search' ? [tool] : []));
}

/**
 * What the text must look like; undefined: anything.
 * @throws InvalidRequestError when the model may also choose to call functions, which are no such text
 */
export function textStructure(text: ResponseRequest['text'], tools?: ToolSettings): OutputStructure | undefined {
  const structure = formatStructure(text);
  if (structure && tools?.choice.mode === 'auto') {
    throw new InvalidRequestError(
      'The text cannot be held to `text.format` while the model may call tools instead; send `tool_choice` none or required.',
      { param: 'text.format' },
    );
  }
  return structure;
}

function formatStructure(text: ResponseRequest['text']): OutputStructure | undefined {
  const format = text?.format;
  if (format?.type === 'json_object') return { type: 'json_object' };
  return format?.type === 'json_schema' ? { type: 'json_schema', schema: format.schema } : undefined;
}

type ToolFields = Pick<ResponseRequest, 'tools' | 'tool_choice' | 'parallel_tool_calls'>;

function choiceOf(choice: ResponseToolChoice): ToolChoice {
  if (typeof choice === 'string') return { mode: choice };
  if (choice.type === 'function') return { mode: 'required', allowed: [choice.name] };
  // The search is made in any case; what the model then does is its own decision.
  if (choice.type === 'file_search') return { mode: 'auto' };
  return { mode: choice.mode, allowed: choice.tools.map(({ name }) => name) };
}
