import type { EngineEvent, FinishedEvent, Generation, StartedEvent } from './types.js';

/** Reads a request's events to the end. */
export async function collect(events: AsyncIterable<EngineEvent>): Promise<Generation> {
  let started: StartedEvent | undefined;
  let finished: FinishedEvent | undefined;
  const tokens: number[] = [];
  const logProbs: number[] = [];
  for await (const event of events) {
    if (event.type === 'started') started = event;
    else if (event.type === 'finished') finished = event;
    else {
      tokens.push(event.token);
      if (event.logProb !== undefined) logProbs.push(event.logProb);
    }
  }
  if (!finished) throw new Error('the engine closed before it reported how the request ended');
  return { started, tokens, logProbs, finished };
}
