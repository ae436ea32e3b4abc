/** A greedy answer of the gateway as it comes: server-sent events, in pieces of whatever size. */
export async function* streamedChat(
  { port, secret }: { port: number; secret: string },
  question: string,
  maxTokens: number,
): AsyncGenerator<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'default',
      messages: [{ role: 'user', content: question }],
      stream: true,
      max_tokens: maxTokens,
      temperature: 0,
    }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  yield* answer.body!.pipeThrough(new TextDecoderStream());
}
