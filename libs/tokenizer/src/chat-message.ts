/** What chat templates see of a message; richer message types of callers fit it structurally. */
export interface ChatMessage {
  role: string;
  content: string;
}

export interface RenderOptions {
  /** End the text where the assistant starts to speak. */
  addGenerationPrompt?: boolean;
  /** Tool declarations, passed to the template as they are. */
  tools?: readonly unknown[];
  /** Retrieved documents, passed to the template as they are. */
  documents?: readonly unknown[];
}
