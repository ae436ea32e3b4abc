import { chatMessage, toChatMessages, type GraderConfig } from '@attune/contracts';
import { InvalidRequestError } from '@attune/platform';
import { z } from 'zod';
import type { SuppliedRow } from './curated-row.js';
import type { GradedRow } from './dataset.js';
import type { FileSource } from './file-rows.js';

const row = z.looseObject({ messages: z.array(chatMessage).min(1) });

/**
 * The rows of a reinforcement file, https://platform.openai.com/docs/guides/reinforcement-fine-tuning: messages to be
 * answered, and whatever else the grader looks at. All of them are trained on: they come without answers to measure with.
 * @throws InvalidRequestError naming the first line that is none
 */
export async function readGradedRows(source: FileSource, grader: GraderConfig): Promise<SuppliedRow[]> {
  if (grader.kind !== 'rows') return [];
  const { name, content } = await source.read({ file_id: grader.file_id, user_id: grader.user_id, split: 'auto' });
  const lines = new TextDecoder().decode(content).split('\n');
  const rows = lines.flatMap((line, index) =>
    line.trim() === '' ? [] : [toRow(readLine(line, `${name}, line ${index + 1}`), name, index)],
  );
  if (rows.length === 0) throw new InvalidRequestError(`${name} has no rows`);
  return rows;
}

function toRow({ messages, item }: GradedRow, name: string, index: number): SuppliedRow {
  return {
    kind: 'graded',
    origin: 'file',
    feedbackId: null,
    userId: `file:${name}`,
    conversationId: `file:${name}:${index}`,
    prompt: messages,
    chosen: '',
    rejected: null,
    label: null,
    item,
    side: 'train',
  };
}

function readLine(line: string, where: string): GradedRow {
  const parsed = row.safeParse(parse(line));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InvalidRequestError(`${where}: \`${issue!.path.join('.')}\` is wrong: ${issue!.message}`);
  }
  const { messages, ...item } = parsed.data;
  const asked = toChatMessages(messages, (index) => {
    throw new InvalidRequestError(`${where}: message ${index + 1} answers no tool call before it`);
  });
  if (asked.at(-1)!.role === 'assistant')
    throw new InvalidRequestError(`${where} ends with an answer; end with the question that is to be answered`);
  return { messages: asked, item };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
