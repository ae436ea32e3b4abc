import type { Logger } from '@attune/platform';
import { errorBody, toAppError } from './error-body.js';
import type { EventStream } from './sse.js';

/** Streams chunks to `[DONE]`. Once a chunk is out, the status line is too: a later error travels in the stream. */
export async function streamChunks(client: EventStream, chunks: AsyncIterable<object>, logger: Logger): Promise<void> {
  try {
    for await (const chunk of chunks) {
      const full = client.send(chunk);
      if (full) await full;
    }
    await client.send('[DONE]');
  } catch (thrown) {
    if (!client.started) throw thrown;
    const error = toAppError(thrown);
    if (error.kind !== 'cancelled') logger.error({ err: error.cause ?? error }, `mid-stream: ${error.message}`);
    await client.send(errorBody(error));
  } finally {
    client.end();
  }
}
