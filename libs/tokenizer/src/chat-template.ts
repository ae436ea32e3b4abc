import { Template } from '@huggingface/jinja';
import { InvalidRequestError, messageOf } from '@attune/platform';
import type { ChatMessage, RenderOptions } from './chat-message.js';

/** A Hugging Face chat template (Jinja) with the special tokens it may print. */
export class ChatTemplate {
  private readonly template: Template;

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
  }

  /**
   * The text of a conversation, special tokens spelled out.
   * @throws InvalidRequestError when the template refuses the messages (`raise_exception`), e.g. an unknown role order.
   */
  render(messages: readonly ChatMessage[], options: RenderOptions = {}): string {
    try {
      return this.template.render({
        ...this.specialTokens,
        messages,
        add_generation_prompt: options.addGenerationPrompt ?? false,
        tools: options.tools ?? null,
        documents: options.documents ?? null,
      });
    } catch (thrown) {
      throw new InvalidRequestError(`The chat template refused the messages: ${messageOf(thrown)}`, {
        param: 'messages',
        cause: thrown,
      });
    }
  }
}
