/**
 * The bundled model's chat format. Every mark is one token, so a turn costs two tokens and no user text can forge one.
 * `<|bos|>` starts the conversation; `<|end|>` ends each turn and stops generation.
 */
export const attuneSpecialTokens = [
  '<|pad|>',
  '<|bos|>',
  '<|end|>',
  '<|system|>',
  '<|user|>',
  '<|assistant|>',
] as const;

export const attuneChatTemplate =
  '{{ bos_token }}{% for message in messages %}' +
  "{% if message['role'] in ['system', 'developer'] %}{{ '<|system|>' }}" +
  "{% elif message['role'] == 'assistant' %}{{ '<|assistant|>' }}{% else %}{{ '<|user|>' }}{% endif %}" +
  "{{ message['content'] + '<|end|>' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

/** The named roles of {@link attuneSpecialTokens} as tokenizer_config.json spells them. */
export const attuneTokenRoles = { pad_token: '<|pad|>', bos_token: '<|bos|>', eos_token: '<|end|>' } as const;

/** For folders without a template (base models): one paragraph a message, so that a chat still reaches the model. */
export const plainChatTemplate =
  "{{ bos_token }}{% for message in messages %}{{ message['content'] + '\\n' }}{% endfor %}";
