import { InvalidRequestError } from '@attune/platform';
import type { RawData } from 'ws';

export type Frame = { type: string } & Record<string, unknown>;

/** @throws InvalidRequestError when the frame is no JSON object with a `type` */
export function readFrame(data: RawData, isBinary: boolean): Frame {
  if (isBinary) throw new InvalidRequestError('Events are JSON in text frames; this frame is binary.');
  const value = parse(String(data));
  if (typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string') {
    return value as Frame;
  }
  throw new InvalidRequestError('An event is a JSON object with a `type`.', { param: 'type' });
}

/** @throws InvalidRequestError naming the events there are */
export function expectType(type: string, known: readonly string[]): void {
  if (known.includes(type)) return;
  throw new InvalidRequestError(`There are no events of type \`${type}\` here; send ${known.join(', ')}.`, {
    param: 'type',
    code: 'unknown_event',
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidRequestError('The frame is no JSON.', { code: 'invalid_json' });
  }
}
