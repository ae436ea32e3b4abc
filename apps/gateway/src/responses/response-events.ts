import type { FileSearchCallItem, ResponseObject, ResponseStatus, ResponseStreamEvent, Usage } from '@attune/contracts';
import { createId, type AppError } from '@attune/platform';
import type { AnswerEvent, OpenedEvent } from '../chat/chat.types.js';
import { OutputItems, type EventFields } from './output-items.js';
import { responseError, responseView, type ResponseFacts, type ResponseState } from './response-view.js';

/** The numbered stream events of one response. Pure: what the chat road says in, events out. */
export class ResponseEvents {
  private sequence = 0;
  private readonly output: OutputItems;
  private readonly state: Omit<ResponseState, 'output'>;

  constructor(
    private readonly facts: ResponseFacts,
    newId: (prefix: 'msg' | 'fc') => string = createId,
  ) {
    this.output = new OutputItems(newId);
    this.state = {
      status: 'queued',
      filedUnder: null,
      fingerprint: null,
      usage: null,
      error: null,
      completedAt: null,
    };
  }

  /** Of a response that waits in the background. */
  queued(): ResponseStreamEvent[] {
    return [this.lifecycle('response.created'), this.lifecycle('response.queued')];
  }

  /** From here on the answer has its row; `searches` were made for it before. */
  begin(opened: Pick<OpenedEvent, 'conversationId' | 'citations'>, searches: FileSearchCallItem[]) {
    const created = this.sequence > 0 ? [] : [this.lifecycle('response.created', 'in_progress')];
    this.state.filedUnder = opened.conversationId;
    this.output.cite(opened.citations);
    const begun = [...created, this.lifecycle('response.in_progress', 'in_progress')];
    return [...begun, ...this.number(searches.flatMap((item) => this.output.search(item)))];
  }

  /** What follows `opened`. */
  take(event: Exclude<AnswerEvent, OpenedEvent>, now: number): ResponseStreamEvent[] {
    if (event.type === 'started') this.state.fingerprint = event.fingerprint;
    if (event.type === 'text') return this.number(this.output.text(event.text, event.logprobs));
    if (event.type === 'tool_call') return this.number(this.output.beginCall(event.id, event.name));
    if (event.type === 'tool_arguments') return this.number(this.output.arguments(event.text));
    if (event.type === 'finished') return this.end(event.reason === 'length' ? 'incomplete' : 'completed', now, event);
    return [];
  }

  /** Nothing was to be generated. */
  filed(now: number): ResponseStreamEvent[] {
    this.state.status = 'in_progress';
    const begun = [this.lifecycle('response.created'), this.lifecycle('response.in_progress')];
    return [...begun, this.last('completed', now)];
  }

  /** It broke. The partial output is told with it. */
  fail(error: AppError, now: number): ResponseStreamEvent[] {
    this.state.error = responseError(error);
    return this.end('failed', now);
  }

  /** It was given up: there is no event of its own for that, only a status. */
  cancel(now: number): ResponseStreamEvent[] {
    return this.end('cancelled', now);
  }

  private end(status: Ended, now: number, { usage }: { usage?: Usage } = {}): ResponseStreamEvent[] {
    this.state.usage = usage ?? null;
    const whole = status === 'completed' || status === 'incomplete';
    const closing = whole ? this.output.end(status) : this.output.stop();
    return [...this.number(closing), this.last(status, now)];
  }

  private last(status: Ended, now: number): ResponseStreamEvent {
    this.state.completedAt = status === 'completed' ? now : null;
    return this.lifecycle(lastType(status), status);
  }

  private lifecycle(type: string, status: ResponseStatus = this.state.status): ResponseStreamEvent {
    this.state.status = status;
    return this.number([{ type, response: this.view() }])[0]!;
  }

  private view(): ResponseObject {
    const ended = this.state.status !== 'queued' && this.state.status !== 'in_progress';
    return responseView(this.facts, { ...this.state, output: ended ? this.output.items : [] });
  }

  private number(events: EventFields[]): ResponseStreamEvent[] {
    return events.map(({ type, ...fields }) => ({ type, sequence_number: this.sequence++, ...fields }));
  }
}

type Ended = Exclude<ResponseStatus, 'queued' | 'in_progress'>;

/** There is no event of its own for a response that was cancelled. */
const lastType = (status: ResponseStatus) => (status === 'cancelled' ? 'response.incomplete' : `response.${status}`);

/** The last event of a response that has ended. */
export const lastEventOf = (response: ResponseObject, sequence: number): ResponseStreamEvent => ({
  type: lastType(response.status),
  sequence_number: sequence,
  response,
});

/** The event no other follows. */
export const isLast = ({ response, type }: ResponseStreamEvent): boolean =>
  response !== undefined && /^response\.(completed|incomplete|failed)$/.test(type);
