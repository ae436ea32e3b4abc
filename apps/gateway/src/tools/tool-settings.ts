import type { OutputStructure, ToolSettings, FunctionTool } from '@attune/contracts';
import { InvalidRequestError } from '@attune/platform';
import type { ToolCallFormat, ToolDeclaration } from '@attune/tokenizer';
import { callMarks } from './call-marks.js';

/**
 * Whether the tools of a request fit each other: names once each, a choice that names tools there are.
 * @throws InvalidRequestError
 */
export function checkTools(tools: ToolSettings | undefined, chosen: unknown): void {
  if (tools === undefined) {
    if (chosen === undefined || chosen === null || chosen === 'none' || chosen === 'auto') return;
    throw new InvalidRequestError('`tool_choice` asks for a call, but there are no `tools`; send some.', {
      param: 'tool_choice',
    });
  }
  const names = tools.functions.map((one) => one.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new InvalidRequestError(`Two tools are called \`${twice}\`; give each a name of its own.`, {
      param: 'tools',
    });
  }
  const unknown = tools.choice.allowed?.find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw new InvalidRequestError(
    `\`tool_choice\` names \`${unknown}\`, but the tools are ${names.map((name) => `\`${name}\``).join(', ')}; name one of these.`,
    { param: 'tool_choice' },
  );
}

/** The functions that may be called, none where the model is not to call any. */
export function callable(tools: ToolSettings | undefined): FunctionTool[] {
  if (tools === undefined || tools.choice.mode === 'none') return [];
  const { allowed } = tools.choice;
  return allowed ? tools.functions.filter(({ name }) => allowed.includes(name)) : tools.functions;
}

/** What the prompt shows of the tools: the ones that may be called. */
export const declarations = (tools: ToolSettings | undefined): ToolDeclaration[] =>
  callable(tools).map((one) => ({ type: 'function', function: one }));

/** What the answer must look like so that each call's arguments follow their schema; undefined without tools. */
export function toolStructure(tools: ToolSettings | undefined, format: ToolCallFormat): OutputStructure | undefined {
  const functions = callable(tools);
  if (tools === undefined || functions.length === 0) return undefined;
  const marks = callMarks[format];
  return {
    type: 'tags',
    triggers: [marks.trigger],
    tags: functions.map(({ name, parameters }) => ({ ...marks.tag(name), schema: parameters })),
    atLeastOne: tools.choice.mode === 'required',
    stopAfterFirst: !tools.parallel,
  };
}
