import type { EvalRunDataSource, ResponseObject } from '@attune/contracts';
import {
  ResponseRepository,
  StoredAnswersRepository,
  type Completion,
  type StoredAnswerFilter,
  type StoredResponse,
} from '@attune/persistence';
import { InvalidRequestError } from '@attune/platform';
import { Injectable } from '@nestjs/common';
import { storedMessages } from '../openai/stored-answer.js';
import { itemMessages } from '../responses/item-messages.js';
import type { EvalRow } from './eval-row.js';

type Source = EvalRunDataSource['source'];
export type StoredSource = Extract<Source, { type: 'stored_completions' | 'responses' }>;

/** Most stored answers a run reads. */
const MOST = 5_000;

/** Rows made of what was answered before, with `store: true`. */
@Injectable()
export class StoredRows {
  constructor(
    private readonly stored: StoredAnswersRepository,
    private readonly responses: ResponseRepository,
  ) {}

  /**
   * @param labels metadata asked for where the source names none
   * @param until Unix seconds: when the run was created; a run that is gone on with later reads no newer answers
   * @throws InvalidRequestError when there are more than a run reads and no limit was set
   */
  read(userId: string, source: StoredSource, labels: Record<string, string>, until: number): Promise<EvalRow[]> {
    const shared: StoredAnswerFilter = {
      model: source.model,
      metadata: source.metadata ?? labels,
      createdAfter: source.created_after,
      createdBefore: Math.min(source.created_before ?? until, until),
    };
    if (source.type === 'stored_completions') {
      const rows = this.stored.completions(userId, shared);
      return collect(rows, source.limit ?? null, async (row) => rowOfCompletion(row));
    }
    const rows = this.stored.responses(userId, {
      ...shared,
      instructions: source.instructions_search,
      reasoningEffort: source.reasoning_effort,
      temperature: source.temperature,
      topP: source.top_p,
      tools: source.tools,
      users: source.users,
    });
    return collect(rows, null, (row) => this.rowOfResponse(row));
  }

  private async rowOfResponse({ id, userId, body }: StoredResponse): Promise<EvalRow> {
    const said = itemMessages(await this.responses.context(id, userId));
    const { instructions, model, metadata } = body;
    const leading = instructions === null ? [] : [{ role: 'system', content: instructions }];
    return {
      key: id,
      item: {
        id,
        model,
        metadata,
        instructions,
        input: [...leading, ...said].map(({ role, content }) => ({ role, content })),
      },
      sample: { output_text: textOf(body), model },
    };
  }
}

async function collect<Row>(
  rows: AsyncIterable<Row>,
  limit: number | null,
  rowOf: (row: Row) => Promise<EvalRow>,
): Promise<EvalRow[]> {
  const found: EvalRow[] = [];
  for await (const row of rows) {
    if (limit !== null && found.length === limit) break;
    if (found.length === MOST) {
      throw new InvalidRequestError(
        `More than ${MOST} stored answers fit; choose fewer by \`created_after\`, \`created_before\` or \`metadata\`.`,
        { param: 'data_source.source' },
      );
    }
    found.push(await rowOf(row));
  }
  return found;
}

function rowOfCompletion(row: Completion): EvalRow {
  const { id, model, metadata, answer, toolCalls } = row;
  const input = storedMessages(row).map(({ role, content }) => ({ role, content }));
  return {
    key: id,
    item: { id, model, metadata, input },
    sample: { output_text: answer, model, ...(toolCalls && { output_tools: toolCalls }) },
  };
}

function textOf({ output }: ResponseObject): string {
  return output
    .flatMap((item) => (item.type === 'message' ? item.content : []))
    .map((part) => (part.type === 'output_text' ? part.text : ''))
    .join('');
}
