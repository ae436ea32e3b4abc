/** A call an assistant made, as OpenAI writes it: `arguments` is JSON text. */
export interface MessageToolCall {
  id: string;
  function: { name: string; arguments: string };
}

/** What chat templates see of a message; richer message types of callers fit it structurally. */
export interface ChatMessage {
  role: string;
  content: string;
  /** Of an assistant. */
  tool_calls?: readonly MessageToolCall[];
  /** Of a tool: the call this is the result of. */
  tool_call_id?: string;
  /** Of a tool: the function's name. */
  name?: string;
}

/** A function shown to the model; the shape every template knows. */
export interface ToolDeclaration {
  type: 'function';
  function: { name: string; description?: string; parameters: object };
}

export interface RenderOptions {
  /** End the text where the assistant starts to speak. */
  addGenerationPrompt?: boolean;
  /** Functions the model may call: in the template's own form, or in a default one where it has none. */
  tools?: readonly ToolDeclaration[];
  /** Retrieved documents, passed to the template as they are. */
  documents?: readonly unknown[];
}
