export { attuneChatTemplate, attuneSpecialTokens, attuneTokenRoles, plainChatTemplate } from './attune-template.js';
export { trainBpe, type BpeSettings, type TrainedBpe } from './bpe-trainer.js';
export type { ChatMessage, MessageToolCall, RenderOptions, ToolDeclaration } from './chat-message.js';
export { ChatTemplate } from './chat-template.js';
export { StreamDecoder } from './stream-decoder.js';
export { Tokenizer, type MaskedConversation } from './tokenizer.js';
export { readTokenizerFiles, type TokenizerFiles } from './tokenizer-files.js';
export { toolCallFormatOf, type ToolCallFormat } from './tool-call-format.js';
export { tokenizerJson, writeTokenizerFolder, type TokenizerRoles } from './tokenizer-folder.js';
