import { Template } from '@huggingface/jinja';
import { InvalidRequestError, messageOf } from '@attune/platform';
import type { ChatMessage, RenderOptions } from './chat-message.js';
import { showsTools, toolCallFormatOf, type ToolCallFormat } from './tool-call-format.js';
import { forTemplate, inPlainMessages } from './tool-messages.js';

/** A Hugging Face chat template (Jinja) with the special tokens it may print. */
export class ChatTemplate {
  /** How the model it belongs to writes its calls. */
  readonly toolCallFormat: ToolCallFormat;
  private readonly template: Template;
  private readonly showsTools: boolean;

  /** @throws InvalidRequestError when the Jinja source does not parse. */
  constructor(
    source: string,
    private readonly specialTokens: Readonly<Record<string, string>>,
  ) {
    try {
      this.template = new Template(source);
    } catch (thrown) {
      throw new InvalidRequestError(
        `The chat template does not parse: ${messageOf(thrown)}; repair chat_template.jinja.`,
      );
    }
    this.toolCallFormat = toolCallFormatOf(source);
    this.showsTools = showsTools(source);
  }

  /**
   * The text of a conversation, special tokens spelled out.
   * @throws InvalidRequestError when the template refuses the messages (`raise_exception`), e.g. an unknown role order.
   */
  render(messages: readonly ChatMessage[], options: RenderOptions = {}): string {
    try {
      return this.template.render({
        ...this.specialTokens,
        messages: this.shaped(messages, options),
        add_generation_prompt: options.addGenerationPrompt ?? false,
        tools: options.tools?.length ? options.tools : null,
        documents: options.documents ?? null,
      });
    } catch (thrown) {
      throw new InvalidRequestError(`The chat template refused the messages: ${messageOf(thrown)}`, {
        param: 'messages',
        cause: thrown,
      });
    }
  }

  private shaped(messages: readonly ChatMessage[], options: RenderOptions): readonly object[] {
    return this.showsTools
      ? forTemplate(messages, this.toolCallFormat)
      : inPlainMessages(messages, options.tools ?? []);
  }
}
