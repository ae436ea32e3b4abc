import type { ChatMessage, FunctionTool } from '@attune/contracts';
import type { z } from 'zod';

interface Shared {
  /** Functions the model was shown. */
  readonly tools?: readonly FunctionTool[];
  /** The task it is an example of, where its format names one; mixtures are drawn by it. */
  readonly task?: string;
}

/** A row of a training file, whatever its format. */
export type DataExample = Shared &
  (
    | {
        readonly kind: 'conversation';
        readonly messages: readonly ChatMessage[];
        /** Indices of assistant turns that are context only. */
        readonly untrained?: readonly number[];
      }
    | {
        readonly kind: 'preference';
        readonly prompt: readonly ChatMessage[];
        readonly chosen: ChatMessage;
        readonly rejected: ChatMessage;
      }
    | {
        readonly kind: 'thumb';
        readonly prompt: readonly ChatMessage[];
        readonly answer: ChatMessage;
        readonly liked: boolean;
      }
    | { readonly kind: 'ranking'; readonly prompt: readonly ChatMessage[]; readonly answers: readonly string[] }
  );

/** One way the wild writes training rows. */
export interface DataFormat<Schema extends z.ZodType = z.ZodType> {
  readonly name: string;
  /** A row that has these keys is of this format, unless an earlier one in the list claims it. */
  readonly keys: readonly string[];
  readonly schema: Schema;
  /** What a row says. A format whose rows hold several examples gives several. @throws InvalidRequestError with a sentence */
  read(row: z.output<Schema>): DataExample[];
  /** The row that says the same; null when the format has no words for it. */
  write(example: DataExample): object | null;
}

/** Gives a format's own schema type to its functions. */
export const defineFormat = <Schema extends z.ZodType>(format: DataFormat<Schema>): DataFormat => format as DataFormat;
